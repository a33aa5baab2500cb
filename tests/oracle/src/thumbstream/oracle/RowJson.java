package thumbstream.oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** A row as a line of `state_projector dump`. */
final class RowJson {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private RowJson() {}

  static String print(String id, Row row) {
    ObjectNode json = Fold.JSON.createObjectNode().put("id", id).put("visible", row.visible());
    if (row.visible()) json.put("state", row.state());
    if (row.upload != null) {
      ObjectNode upload = placed(row.upload).put("tenant", row.upload.tenant);
      upload.set("original", only(row.upload.original, "key", "bytes", "sha256", "content_type"));
      upload.set("size", size(row.upload.size));
      ArrayNode specs = upload.putArray("variants");
      row.upload.variants.forEach(v -> specs.add(only(v, "name", "width", "height", "fit")));
      if (row.upload.privateOffset != null) upload.put("private_offset", row.upload.privateOffset);
      json.set("upload", upload);
    }
    if (!row.requests.isEmpty()) {
      ArrayNode requests = json.putArray("requests");
      row.requests.forEach(request -> requests.add(request(request)));
    }
    if (row.personal != null) {
      json.putObject("private").put("offset", row.personal.offset)
          .put("filename", row.personal.filename);
    }
    if (row.deleted != null) {
      json.set("deleted", placed(row.deleted).put("tenant", row.deleted.tenant)
          .put("by", row.deleted.actor));
    }
    return json.toString();
  }

  private static ObjectNode request(Row.Request request) {
    ObjectNode json =
        Fold.JSON.createObjectNode().put("id", request.id).put("state", request.state());
    if (request.asked != null) {
      json.set("asked", placed(request.asked).put("actor", request.asked.actor));
    }
    if (request.startedAt != null) json.put("started_at", time(request.startedAt));
    if (request.completed != null) {
      ObjectNode completed = placed(request.completed);
      completed.set("original_size", size(request.completed.size));
      ArrayNode variants = completed.putArray("variants");
      for (JsonNode variant : request.completed.variants) {
        ObjectNode one = variants.addObject().put("name", variant.get("name").textValue());
        one.set("blob", only(variant.get("blob"), "key", "bytes", "sha256", "content_type"));
        one.set("size", size(variant.get("size")));
      }
      json.set("completed", completed);
    }
    if (request.failed != null) {
      json.set("failed", placed(request.failed).put("code", request.failed.code)
          .put("message", request.failed.message));
    }
    return json;
  }

  private static ObjectNode placed(Row.Part part) {
    return Fold.JSON.createObjectNode().put("offset", part.offset).put("at", time(part.at));
  }

  private static ObjectNode size(JsonNode size) {
    return only(size, "width", "height");
  }

  private static ObjectNode only(JsonNode from, String... names) {
    ObjectNode json = Fold.JSON.createObjectNode();
    for (String name : names) json.set(name, from.get(name));
    return json;
  }

  private static String time(long ms) {
    return TIME.format(Instant.ofEpochMilli(ms));
  }
}
