package thumbstream.oracle;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** A record as an event of ours, checked as schemas/*.schema.json describe it. */
final class Event {
  /** The record is not an event that can be read. */
  static final class Unreadable extends Exception {
    private static final long serialVersionUID = 1;

    Unreadable(String reason) {
      super(reason, null, false, false);
    }
  }

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private static final Pattern UUID =
      Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern NAME = Pattern.compile("[a-z0-9-]*");
  private static final Map<String, String> TOPICS = Map.of(
      "image-uploaded", "image-requests",
      "thumbnail-requested", "image-requests",
      "image-deleted", "image-requests",
      "thumbnail-started", "thumbnail-started",
      "thumbnail-completed", "thumbnail-completed",
      "thumbnail-failed", "thumbnail-failed",
      "image-private", "image-private",
      "image-private-erased", "image-private");

  final String name;
  final String image;
  final String traceparent;
  final JsonNode data; // null: a tombstone

  private Event(String name, String image, String traceparent, JsonNode data) {
    this.name = name;
    this.image = image;
    this.traceparent = traceparent;
    this.data = data;
  }

  static Event read(String topic, byte[] key, byte[] value, Headers headers) throws Unreadable {
    String image = key == null ? "" : new String(key, StandardCharsets.UTF_8);
    if (value == null) {
      need(topic.endsWith("image-private") && UUID.matcher(image).matches(), "no value");
      return new Event("image-private-erased", image.toLowerCase(), "", null);
    }
    need(header(headers, "ce_specversion").equals("1.0") && !header(headers, "ce_id").isEmpty()
        && !header(headers, "ce_source").isEmpty(), "not a CloudEvent");
    String type = header(headers, "ce_type");
    need(type.startsWith("io.thumbstream.") && type.endsWith(".v1"), "another type");
    String name = type.substring("io.thumbstream.".length(), type.length() - 3);
    need(TOPICS.containsKey(name) && topic.endsWith(TOPICS.get(name)), "not of this topic");
    JsonNode data;
    try {
      data = JSON.readTree(value);
    } catch (IOException problem) {
      throw new Unreadable("not JSON");
    }
    check(name, data);
    need(image.equals(data.get("image_id").textValue().toLowerCase()), "the key is another image");
    return new Event(name, image, header(headers, "traceparent"), data);
  }

  String request() {
    return data.get("request_id").textValue().toLowerCase();
  }

  String actor() {
    return data == null || !data.has("actor") ? "" : data.get("actor").textValue();
  }

  private static void check(String name, JsonNode data) throws Unreadable {
    need(UUID.matcher(text(data, "image_id", 1, 64)).matches(), "image_id");
    text(data, "tenant", 1, 128);
    if (name.equals("image-private")) {
      text(data, "filename", 1, 255);
      return;
    }
    need(UUID.matcher(text(data, "request_id", 1, 64)).matches(), "request_id");
    text(data, "actor", 1, 128);
    switch (name) {
      case "image-uploaded" -> {
        blob(data.get("original"));
        size(data.get("size"));
        specs(data.get("variants"));
        if (data.hasNonNull("private_offset")) {
          whole(data, "private_offset", 0, Long.MAX_VALUE);
        }
      }
      case "thumbnail-requested" -> {
        blob(data.get("original"));
        specs(data.get("variants"));
      }
      case "image-deleted" -> {}
      case "thumbnail-started" -> position(data.get("request"));
      case "thumbnail-completed" -> {
        outcome(data);
        JsonNode stages = data.get("stages_ms");
        for (String stage : new String[] {"waited", "fetched", "made", "stored"}) {
          whole(stages, stage, 0, Long.MAX_VALUE);
        }
        size(data.get("original_size"));
        for (JsonNode variant : array(data.get("variants"))) {
          need(NAME.matcher(text(variant, "name", 1, 32)).matches(), "name");
          blob(variant.get("blob"));
          size(variant.get("size"));
        }
      }
      default -> {
        outcome(data);
        need(NAME.matcher(text(data, "code", 1, 64)).matches(), "code");
        text(data, "message", 1, 1024);
      }
    }
  }

  private static void outcome(JsonNode data) throws Unreadable {
    position(data.get("request"));
    try {
      OffsetDateTime.parse(text(data, "started_at", 1, 40));
    } catch (DateTimeParseException problem) {
      throw new Unreadable("started_at");
    }
  }

  private static void blob(JsonNode blob) throws Unreadable {
    text(blob, "key", 1, 512);
    whole(blob, "bytes", 1, Long.MAX_VALUE);
    need(SHA256.matcher(text(blob, "sha256", 64, 64)).matches(), "sha256");
    text(blob, "content_type", 1, 128);
  }

  private static void size(JsonNode size) throws Unreadable {
    whole(size, "width", 1, 1_000_000);
    whole(size, "height", 1, 1_000_000);
  }

  private static void position(JsonNode position) throws Unreadable {
    whole(position, "partition", 0, Integer.MAX_VALUE);
    whole(position, "offset", 0, Long.MAX_VALUE);
  }

  private static void specs(JsonNode specs) throws Unreadable {
    Set<String> names = new HashSet<>();
    for (JsonNode spec : array(specs)) {
      String name = text(spec, "name", 1, 32);
      need(NAME.matcher(name).matches() && names.add(name), "name");
      whole(spec, "width", 1, 65_535);
      whole(spec, "height", 1, 65_535);
      need(text(spec, "fit", 1, 32).equals("inside"), "fit");
    }
  }

  private static JsonNode array(JsonNode array) throws Unreadable {
    need(array != null && array.isArray() && array.size() >= 1 && array.size() <= 64, "variants");
    return array;
  }

  private static String text(JsonNode from, String name, int min, int max) throws Unreadable {
    JsonNode field = from == null ? null : from.get(name);
    need(field != null && field.isTextual(), name);
    int bytes = field.textValue().getBytes(StandardCharsets.UTF_8).length;
    need(bytes >= min && bytes <= max, name);
    return field.textValue();
  }

  private static void whole(JsonNode from, String name, long min, long max) throws Unreadable {
    JsonNode field = from == null ? null : from.get(name);
    need(field != null && field.isIntegralNumber() && field.canConvertToLong(), name);
    need(field.longValue() >= min && field.longValue() <= max, name);
  }

  private static void need(boolean holds, String what) throws Unreadable {
    if (!holds) throw new Unreadable(what);
  }

  private static String header(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    return header == null || header.value() == null
        ? "" : new String(header.value(), StandardCharsets.UTF_8);
  }
}
