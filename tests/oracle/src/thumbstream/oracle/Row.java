package thumbstream.oracle;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What is known of one image, and how one more of its events joins it: the rules of
 * schemas/row_join.h, written again by their words. Stored as JSON.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public final class Row {
  /** A part that came with one record. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public static class Part {
    public long offset;
    public long at;
    public String tenant;
    public String actor; // deletion: by whom
    public JsonNode original;
    public JsonNode size;
    public JsonNode variants;
    public Long privateOffset;
    public String code;
    public String message;
    public String filename;
  }

  /** One request for thumbnails. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public static final class Request {
    public String id;
    public Part asked;
    public Long startedAt;
    public Part completed;
    public Part failed;

    String state() {
      if (completed != null) return "completed";
      if (failed != null) return "failed";
      return startedAt == null ? "accepted" : "processing";
    }
  }

  public Part upload;
  public Part personal;
  public Part deleted;
  public List<Request> requests = new ArrayList<>();

  static Part lowest(Part kept, Part seen) {
    return kept == null || seen.offset < kept.offset ? seen : kept;
  }

  void delete(Part part) {
    deleted = lowest(deleted, part);
    upload = null;
    personal = null;
    requests.clear();
  }

  void keepNewest(Part name) {
    if (personal == null || name.offset > personal.offset) personal = name;
  }

  Request request(String id) {
    for (Request request : requests) {
      if (request.id.equals(id)) return request;
    }
    Request request = new Request();
    request.id = id;
    requests.add(request);
    return request;
  }

  /** Those asked by offset, then the others. */
  void sort() {
    requests.sort(Comparator.comparing((Request r) -> r.asked == null)
        .thenComparingLong(r -> r.asked == null ? 0 : r.asked.offset)
        .thenComparing(r -> r.id));
  }

  boolean visible() {
    return upload != null || deleted != null;
  }

  /** Of the newest request asked. */
  String state() {
    if (deleted != null) return "deleted";
    for (int i = requests.size() - 1; i >= 0; --i) {
      if (requests.get(i).asked != null) return requests.get(i).state();
    }
    return "accepted";
  }

  /** By which lists are ordered. */
  long placedAt() {
    return deleted != null ? deleted.at : upload.at;
  }
}
