"""Puts an upload on the log without the HTTP door: blob and event, as ingest would write them."""

import hashlib
import json
import os
import time
import uuid

from confluent_kafka import Producer


def _uuid7():
    """Time-ordered, as image ids are (RFC 9562)."""
    value = bytearray(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10))
    value[6] = value[6] & 0x0F | 0x70
    value[8] = value[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(value)))


def _shard(image_id):
    """platform/fs_blob_store.cc: FNV-1a of the image id, folded to a byte."""
    value = 2166136261
    for byte in image_id.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return f"{(value ^ value >> 8 ^ value >> 16 ^ value >> 24) & 0xFF:02x}"


def upload(stack, content, content_type, size=(100, 100)):
    """Returns the image's id."""
    image_id = _uuid7()
    digest = hashlib.sha256(content).hexdigest()
    key = f"images/{image_id}/original-{digest}"
    blob = stack.folder / "blobs" / "objects" / _shard(image_id) / key
    blob.parent.mkdir(parents=True)
    blob.write_bytes(content)
    value = {"image_id": image_id, "request_id": image_id, "tenant": "default", "actor": "anonymous",
             "original": {"key": key, "bytes": len(content), "sha256": digest,
                          "content_type": content_type},
             "size": {"width": size[0], "height": size[1]},
             "variants": [{"name": "default", "width": 100, "height": 100, "fit": "inside"}]}
    headers = {"ce_specversion": "1.0", "ce_id": f"{image_id}:image-uploaded",
               "ce_source": "/thumbstream/test", "ce_type": "io.thumbstream.image-uploaded.v1",
               "content-type": "application/json"}
    producer = Producer({"bootstrap.servers": stack.bootstrap, "partitioner": "murmur2_random"})
    producer.produce(stack.topic("image-requests"), key=image_id, value=json.dumps(value).encode(),
                     headers=headers)
    assert producer.flush(30) == 0
    return image_id
