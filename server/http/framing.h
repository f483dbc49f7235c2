#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Pure checks of HTTP/1.1 message framing (RFC 9112), stricter than the RFC where leniency lets two servers
/// disagree on where a request ends.
namespace mlpd::server {

struct HeaderField {
  std::string_view name;
  std::string_view value;  ///< without surrounding blanks, otherwise as it was sent
};

/// A request's header block; all views point into the text that was parsed.
struct RequestHead {
  std::string_view method;
  std::string_view path;   ///< as sent (percent-encoded), starts with '/'
  std::string_view query;  ///< as sent, without the '?'
  bool http_1_0 = false;
  std::vector<HeaderField> fields;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  /// First value of a header field, name in any case.
  std::optional<std::string_view> field(std::string_view name) const;
};

/// Why a request is refused: the HTTP status and one sentence. Status 0 = not refused.
struct Refusal {
  int status = 0;
  std::string_view detail;
  explicit operator bool() const { return status != 0; }
};

inline constexpr std::size_t kRequestTargetBytesMax = 8'000;  ///< 414 past it
inline constexpr std::size_t kChunkLineBytesMax = 256;        ///< chunk size and extensions
inline constexpr std::size_t kTrailerBytesMax = 8'192;

/// Finds the end of a header block that arrives in pieces, without looking at any byte twice.
class HeadScanner {
 public:
  enum class State { incomplete, complete, malformed };
  /// `text` starts at the request line and only grows between calls. `complete`: size() bytes are the block.
  /// `malformed`: a line does not end in CR LF.
  State scan(std::string_view text);
  std::size_t size() const { return line_start_; }
  void reset() { line_start_ = scanned_ = 0; }

 private:
  std::size_t line_start_ = 0;
  std::size_t scanned_ = 0;
};

/// Parses a complete header block (with its empty line). Refuses: a bad request line, an unknown method (501)
/// or version (505), a long target (414), more than `fields_max` fields (431), obsolete folding, control
/// bytes, a missing or repeated Host, Content-Length that is repeated, not a plain number or beside
/// Transfer-Encoding, any transfer coding but chunked (501), and any Content-Encoding but identity (415).
/// `head` is filled as far as the parser came.
Refusal parse_head(std::string_view block, std::size_t fields_max, RequestHead& head);

/// Percent-decodes a path; nullopt where an escape is broken or gives a control byte.
std::optional<std::string> decode_path(std::string_view raw);

/// Decodes "a=1&b=x+y%21" in order of arrival ('+' is a blank; a name alone has an empty value); nullopt
/// where an escape is broken.
std::optional<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view raw);

/// True for [A-Za-z0-9._-]{1,128}: an X-Request-Id that may be taken over.
bool is_request_id(std::string_view id);

/// Reads a chunked body that arrives in pieces, counting its bytes.
class ChunkedDecoder {
 public:
  enum class State { more, done, malformed, too_large };
  explicit ChunkedDecoder(std::uint64_t body_bytes_max = 0) : left_(body_bytes_max) {}
  /// Consumes framing from the front of `input` up to one piece of content of at most `size_max` > 0 bytes,
  /// which `payload` then views (empty: none in this input). more: call again, with more input once it is
  /// empty. too_large is found from a chunk's announced size, before its content.
  State next(std::string_view& input, std::size_t size_max, std::string_view& payload);

 private:
  enum class Part { size, size_line_feed, content, content_return, content_line_feed, trailer };
  State take_size_byte(char c);
  State end_size_line();
  State take_trailer_byte(char c);

  Part part_ = Part::size;
  std::uint64_t left_;       ///< of the body's limit
  std::uint64_t chunk_ = 0;  ///< size of this chunk, then its bytes that are still to come
  int digits_ = 0;
  bool extension_ = false;
  std::size_t line_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t trailer_line_ = 0;
  bool after_return_ = false;
};

}  // namespace mlpd::server
