package thumbstream.oracle;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Folds the topics from their first records until so many have come, prints how long that took as
 * JSON, and writes the rows to a file, if one is named:
 *
 * <p>Main bootstrap=host:port state=folder records=N [threads=2] [prefix=p-] [dump=file]
 */
public final class Main {
  private static final List<String> TOPICS = List.of("image-requests", "thumbnail-completed",
      "thumbnail-failed", "thumbnail-started", "image-private");
  private static final long PATIENCE_SECONDS = 600;

  private Main() {}

  public static void main(String[] words) throws Exception {
    Map<String, String> given = new HashMap<>(Map.of("threads", "2", "prefix", "", "dump", ""));
    for (String word : words) given.put(word.split("=", 2)[0], word.split("=", 2)[1]);
    Meter meter = new Meter(Long.parseLong(given.get("records")));
    try (KafkaStreams streams =
        new KafkaStreams(topology(given.get("prefix"), meter), settings(given))) {
      streams.setUncaughtExceptionHandler(problem -> {
        problem.printStackTrace();
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
      });
      streams.start();
      if (!meter.await(PATIENCE_SECONDS)) {
        System.err.println("only " + meter.seen() + " records came");
        System.exit(1);
      }
      System.out.printf("{\"records\": %d, \"seconds\": %.3f}%n", meter.seen(), meter.seconds());
      if (!given.get("dump").isEmpty()) dump(streams, Path.of(given.get("dump")));
      streams.close(Duration.ofSeconds(10));
    }
  }

  private static Properties settings(Map<String, String> given) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "oracle-" + UUID.randomUUID());
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("bootstrap"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, given.get("state"));
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, given.get("threads"));
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 256L << 20);
    settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
    // From the first record as fast as they come: not in the order of time over topics.
    settings.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, -1L);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.ISOLATION_LEVEL_CONFIG),
        "read_committed");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.FETCH_MIN_BYTES_CONFIG), 1);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG),
        4 << 20);
    return settings;
  }

  private static Topology topology(String prefix, Meter meter) {
    Topology topology = new Topology();
    topology.addSource("log", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(),
        TOPICS.stream().map(topic -> prefix + topic).toArray(String[]::new));
    topology.addProcessor("fold", () -> new Fold(meter), "log");
    topology.addStateStore(onDisk(Fold.ROWS).withCachingEnabled(), "fold");
    topology.addStateStore(onDisk(Fold.INDEX), "fold");
    topology.addStateStore(onDisk(Fold.HISTORY), "fold");
    topology.addStateStore(Stores.keyValueStoreBuilder(
        Stores.inMemoryKeyValueStore(Fold.COUNTERS), Serdes.String(), Serdes.Long())
        .withLoggingDisabled(), "fold");
    return topology;
  }

  private static StoreBuilder<KeyValueStore<Bytes, byte[]>> onDisk(String name) {
    return Stores.keyValueStoreBuilder(
        Stores.persistentKeyValueStore(name), Serdes.Bytes(), Serdes.ByteArray())
        .withLoggingDisabled();
  }

  private static void dump(KafkaStreams streams, Path file) throws IOException {
    ReadOnlyKeyValueStore<Bytes, byte[]> rows = streams.store(
        StoreQueryParameters.fromNameAndType(Fold.ROWS, QueryableStoreTypes.keyValueStore()));
    TreeMap<String, String> lines = new TreeMap<>();
    try (KeyValueIterator<Bytes, byte[]> all = rows.all()) {
      all.forEachRemaining(pair -> {
        ByteBuffer key = ByteBuffer.wrap(pair.key.get());
        String id = new UUID(key.getLong(), key.getLong()).toString();
        lines.put(id, RowJson.print(id, Fold.parse(pair.value)));
      });
    }
    try (PrintStream out =
        new PrintStream(Files.newOutputStream(file), false, StandardCharsets.UTF_8)) {
      lines.values().forEach(line -> out.print(line + "\n"));
      if (out.checkError()) throw new UncheckedIOException(new IOException("cannot write " + file));
    }
  }
}
