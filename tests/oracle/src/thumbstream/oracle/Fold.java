package thumbstream.oracle;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/** The fold: rows, two indexes, counters and history, as docs/view_format.md lists them. */
final class Fold implements Processor<byte[], byte[], Void, Void> {
  static final String ROWS = "rows";
  static final String INDEX = "index";
  static final String HISTORY = "history";
  static final String COUNTERS = "counters";

  static final ObjectMapper JSON = new ObjectMapper();
  private static final byte[] NOTHING = {};
  private static final byte PRIVATE = 5;

  private final Meter meter;
  private ProcessorContext<Void, Void> context;
  private KeyValueStore<Bytes, byte[]> rows;
  private KeyValueStore<Bytes, byte[]> index;
  private KeyValueStore<Bytes, byte[]> history;
  private KeyValueStore<String, Long> counters;

  Fold(Meter meter) {
    this.meter = meter;
  }

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    this.context = context;
    rows = context.getStateStore(ROWS);
    index = context.getStateStore(INDEX);
    history = context.getStateStore(HISTORY);
    counters = context.getStateStore(COUNTERS);
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    RecordMetadata place = context.recordMetadata().orElseThrow();
    try {
      fold(Event.read(place.topic(), record.key(), record.value(), record.headers()), record, place);
    } catch (Event.Unreadable problem) {
      count("unreadable", 1);
    }
    meter.mark();
  }

  private void fold(Event event, Record<byte[], byte[]> record, RecordMetadata place) {
    UUID uuid = UUID.fromString(event.image);
    Bytes id = Bytes.wrap(bytesOf(uuid));
    byte[] stored = rows.get(id);
    Row row = stored == null ? new Row() : parse(stored);
    boolean deletedBefore = row.deleted != null;
    List<Bytes> oldKeys = indexKeys(row, uuid);
    String oldState = row.visible() ? row.state() : null;

    join(row, event, place.offset(), record.timestamp());

    List<Bytes> newKeys = indexKeys(row, uuid);
    if (!oldKeys.equals(newKeys)) {
      oldKeys.stream().filter(key -> !newKeys.contains(key)).forEach(index::delete);
      newKeys.stream().filter(key -> !oldKeys.contains(key)).forEach(key -> index.put(key, NOTHING));
    }
    String newState = row.visible() ? row.state() : null;
    if (!Objects.equals(oldState, newState)) {
      if (oldState != null) count(oldState, -1);
      if (newState != null) count(newState, 1);
    }
    rows.put(id, print(row));
    remember(event, record, place, id, row.deleted != null, deletedBefore);
  }

  private static void join(Row row, Event event, long offset, long at) {
    Row.Part part = new Row.Part();
    part.offset = offset;
    part.at = at;
    if (event.name.equals("image-deleted")) {
      part.tenant = event.data.get("tenant").textValue();
      part.actor = event.actor();
      row.delete(part);
    }
    if (row.deleted != null) return;
    switch (event.name) {
      case "image-uploaded" -> {
        Row.Part upload = new Row.Part();
        upload.offset = offset;
        upload.at = at;
        upload.tenant = event.data.get("tenant").textValue();
        upload.original = event.data.get("original");
        upload.size = event.data.get("size");
        upload.variants = event.data.get("variants");
        upload.privateOffset = event.data.hasNonNull("private_offset")
            ? Long.valueOf(event.data.get("private_offset").longValue()) : null;
        row.upload = Row.lowest(row.upload, upload);
        ask(row, event, part);
      }
      case "thumbnail-requested" -> ask(row, event, part);
      case "thumbnail-started" -> {
        Row.Request request = row.request(event.request());
        request.startedAt = request.startedAt == null ? at : Math.min(at, request.startedAt);
      }
      case "thumbnail-completed" -> {
        part.size = event.data.get("original_size");
        part.variants = event.data.get("variants");
        Row.Request request = row.request(event.request());
        request.completed = Row.lowest(request.completed, part);
      }
      case "thumbnail-failed" -> {
        part.code = event.data.get("code").textValue();
        part.message = event.data.get("message").textValue();
        Row.Request request = row.request(event.request());
        request.failed = Row.lowest(request.failed, part);
      }
      default -> {
        part.filename = event.data == null ? "" : event.data.get("filename").textValue();
        row.keepNewest(part);
      }
    }
    row.sort();
  }

  private static void ask(Row row, Event event, Row.Part part) {
    part.actor = event.actor();
    Row.Request request = row.request(event.request());
    request.asked = Row.lowest(request.asked, part);
  }

  private void remember(Event event, Record<byte[], byte[]> record, RecordMetadata place, Bytes id,
      boolean deleted, boolean deletedBefore) {
    if (deletedBefore) return;
    byte topic = event.name.startsWith("image-private") ? PRIVATE : topicNumber(event.name);
    if (deleted) {
      forget(id, NOTHING, Long.MAX_VALUE);
      return;
    }
    if (event.data == null) forget(id, new byte[] {PRIVATE}, place.offset());
    byte[] head = (event.name + '\n' + event.actor() + '\n' + event.traceparent + '\n')
        .getBytes(StandardCharsets.UTF_8);
    byte[] data = record.value() == null ? NOTHING : record.value();
    byte[] entry = ByteBuffer.allocate(8 + head.length + data.length)
        .putLong(record.timestamp()).put(head).put(data).array();
    history.put(Bytes.wrap(ByteBuffer.allocate(29).put(id.get()).put(topic)
        .putInt(place.partition()).putLong(place.offset()).array()), entry);
  }

  private static byte topicNumber(String name) {
    return switch (name) {
      case "thumbnail-completed" -> 2;
      case "thumbnail-failed" -> 3;
      case "thumbnail-started" -> 4;
      default -> 1;
    };
  }

  /** The entries of one image, or of one topic of it, below an offset. */
  private void forget(Bytes id, byte[] topic, long below) {
    int length = 16 + topic.length;
    byte[] from = ByteBuffer.allocate(29).put(id.get()).put(topic).array();
    byte[] to = ByteBuffer.allocate(29).put(id.get()).put(topic).array();
    java.util.Arrays.fill(to, length, to.length, (byte) 0xff);
    List<Bytes> keys = new ArrayList<>();
    try (KeyValueIterator<Bytes, byte[]> all = history.range(Bytes.wrap(from), Bytes.wrap(to))) {
      while (all.hasNext()) {
        KeyValue<Bytes, byte[]> next = all.next();
        if (ByteBuffer.wrap(next.key.get()).getLong(21) < below) keys.add(next.key);
      }
    }
    keys.forEach(history::delete);
  }

  private static List<Bytes> indexKeys(Row row, UUID id) {
    if (!row.visible()) return List.of();
    Bytes byState = indexKey((byte) row.state().charAt(0), row.placedAt(), id);
    return row.deleted != null
        ? List.of(byState) : List.of(byState, indexKey((byte) 'A', row.placedAt(), id));
  }

  private static Bytes indexKey(byte kind, long at, UUID id) {
    return Bytes.wrap(ByteBuffer.allocate(25).put(kind).putLong(~at)
        .putLong(~id.getMostSignificantBits()).putLong(~id.getLeastSignificantBits()).array());
  }

  private void count(String what, long by) {
    Long before = counters.get(what);
    counters.put(what, (before == null ? 0 : before) + by);
  }

  static byte[] bytesOf(UUID id) {
    return ByteBuffer.allocate(16).putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits()).array();
  }

  static Row parse(byte[] stored) {
    try {
      return JSON.readValue(stored, Row.class);
    } catch (IOException problem) {
      throw new UncheckedIOException(problem);
    }
  }

  private static byte[] print(Row row) {
    try {
      return JSON.writeValueAsBytes(row);
    } catch (IOException problem) {
      throw new UncheckedIOException(problem);
    }
  }
}
