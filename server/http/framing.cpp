#include "server/http/framing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace mlpd::server {
namespace {

// TRACE and QUERY are read so that every route refuses them by 405 and Allow, as HTTP wants of known methods.
constexpr std::array<std::string_view, 9> kMethods = {"GET",    "HEAD",    "POST",  "PUT",  "PATCH",
                                                      "DELETE", "OPTIONS", "TRACE", "QUERY"};
constexpr Refusal kBadLine{400, "The request line is malformed."};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() && std::equal(text.begin(), text.end(), lower_case.begin(),
                                                        [](char a, char b) { return lower(a) == b; });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

/// For each byte, whether a token (RFC 9110, 5.6.2) may have it.
constexpr auto kTokenBytes = [] {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[c] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[c] = true;
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return kTokenBytes[static_cast<unsigned char>(c)]; });
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return -1;
}

std::optional<std::string> unescaped(std::string_view raw, bool plus_is_blank) {
  if (raw.find('%') == std::string_view::npos && (!plus_is_blank || raw.find('+') == std::string_view::npos))
    return std::string(raw);
  std::string text;
  text.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      if (i + 2 >= raw.size()) return std::nullopt;
      const int high = hex_value(raw[i + 1]), low = hex_value(raw[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    text.push_back(c);
  }
  return text;
}

/// Calls `each` with every trimmed element of a comma-separated list.
template <class Each>
void for_each_element(std::string_view list, Each each) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto element = trimmed(list.substr(0, comma));
    if (!element.empty()) each(element);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
}

Refusal parse_target(std::string_view target, RequestHead& head) {
  if (target.size() > kRequestTargetBytesMax) return {414, "The request target is too long."};
  if (std::any_of(target.begin(), target.end(), [](char c) { return is_control(c) || c == '#'; }))
    return kBadLine;
  for (const std::string_view scheme : {"http://", "https://"})
    if (target.size() > scheme.size() && same(target.substr(0, scheme.size()), scheme)) {
      const auto slash = target.find_first_of("/?", scheme.size());
      if (slash == std::string_view::npos || target[slash] == '?') return kBadLine;
      target.remove_prefix(slash);
      break;
    }
  if (target.empty() || target.front() != '/') return kBadLine;
  const auto question = target.find('?');
  head.path = target.substr(0, question);
  head.query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  return {};
}

Refusal parse_request_line(std::string_view line, RequestHead& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return kBadLine;
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(method) || target.find(' ') != std::string_view::npos) return kBadLine;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (version.size() == 8 && version.substr(0, 5) == "HTTP/")
      return {505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
    return kBadLine;
  }
  head.http_1_0 = version.back() == '0';
  head.keep_alive = !head.http_1_0;
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end())
    return {501, "The method is not implemented; GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS are."};
  head.method = method;
  return parse_target(target, head);
}

/// What a header block said about its body, to be judged once all of it is known.
struct BodyFields {
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
};

Refusal take_length(std::string_view value, RequestHead& head, BodyFields& seen) {
  if (++seen.lengths > 1) return {400, "Content-Length is given more than once."};
  std::uint64_t length = 0;
  const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (value.empty() || !is_digit(value.front()) || fault != std::errc() || end != value.data() + value.size())
    return {400, "Content-Length is not a decimal number."};
  head.content_length = length;
  return {};
}

Refusal take_field(HeaderField field, RequestHead& head, BodyFields& seen) {
  switch (field.name.size()) {  // most fields are told apart by their length alone
    case 4:
      if (same(field.name, "host")) ++seen.hosts;
      break;
    case 6:
      if (same(field.name, "expect")) {
        if (!same(field.value, "100-continue")) return {417, "Only Expect: 100-continue is understood."};
        head.expects_continue = !head.http_1_0;
      }
      break;
    case 10:
      if (same(field.name, "connection"))
        for_each_element(field.value, [&](std::string_view option) {
          if (same(option, "close")) head.keep_alive = false;
          if (same(option, "keep-alive") && head.http_1_0) head.keep_alive = true;
        });
      break;
    case 14:
      if (same(field.name, "content-length")) return take_length(field.value, head, seen);
      break;
    case 16:
      if (same(field.name, "content-encoding") && !same(field.value, "identity"))
        return {415, "Request bodies must not be compressed: send them without Content-Encoding."};
      break;
    case 17:
      if (same(field.name, "transfer-encoding")) {
        if (++seen.codings > 1) return {400, "Transfer-Encoding is given more than once."};
        if (!same(field.value, "chunked")) return {501, "The only transfer coding that is read is chunked."};
        head.chunked = true;
      }
      break;
    default:
      break;
  }
  return {};
}

Refusal parse_field(std::string_view line, RequestHead& head, BodyFields& seen) {
  if (line.front() == ' ' || line.front() == '\t') return {400, "A header field is folded over lines."};
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return {400, "A header field's name is malformed."};
  const HeaderField field{line.substr(0, colon), trimmed(line.substr(colon + 1))};
  if (std::any_of(field.value.begin(), field.value.end(), [](char c) { return is_control(c) && c != '\t'; }))
    return {400, "A header field's value has a control byte."};
  head.fields.push_back(field);
  return take_field(field, head, seen);
}

}  // namespace

std::optional<std::string_view> RequestHead::field(std::string_view name) const {
  for (const auto& [key, value] : fields)
    if (key.size() == name.size() &&
        std::equal(key.begin(), key.end(), name.begin(), [](char a, char b) { return lower(a) == lower(b); }))
      return value;
  return std::nullopt;
}

HeadScanner::State HeadScanner::scan(std::string_view text) {
  for (;;) {
    const auto feed = text.find('\n', scanned_);
    if (feed == std::string_view::npos) {
      scanned_ = text.size();
      return State::incomplete;
    }
    if (feed == 0 || text[feed - 1] != '\r') return State::malformed;
    const bool empty_line = feed - line_start_ == 1;
    scanned_ = line_start_ = feed + 1;
    if (empty_line) return State::complete;
  }
}

Refusal parse_head(std::string_view block, std::size_t fields_max, RequestHead& head) {
  auto fields = std::move(head.fields);  // keeps its memory
  fields.clear();
  head = RequestHead();
  head.fields = std::move(fields);
  BodyFields seen;
  bool first = true;
  while (!block.empty()) {
    const auto feed = block.find('\n');
    if (feed == std::string_view::npos || feed == 0 || block[feed - 1] != '\r')
      return {400, "A header line does not end in CR LF."};
    const auto line = block.substr(0, feed - 1);
    block.remove_prefix(feed + 1);
    if (line.empty()) break;
    if (!first && head.fields.size() == fields_max) return {431, "The request has too many header fields."};
    if (const auto refusal = first ? parse_request_line(line, head) : parse_field(line, head, seen))
      return refusal;
    first = false;
  }
  if (first) return kBadLine;
  if (head.chunked && head.content_length)
    return {400, "Content-Length and Transfer-Encoding exclude each other."};
  if (head.chunked && head.http_1_0) return {400, "HTTP/1.0 has no Transfer-Encoding."};
  if (seen.hosts > 1 || (seen.hosts == 0 && !head.http_1_0))
    return {400, "A request needs exactly one Host header field."};
  return {};
}

std::optional<std::string> decode_path(std::string_view raw) {
  auto path = unescaped(raw, false);
  if (path && std::any_of(path->begin(), path->end(), is_control)) return std::nullopt;
  return path;
}

std::optional<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view raw) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!raw.empty()) {
    const auto end = raw.find('&');
    const auto field = raw.substr(0, end);
    raw.remove_prefix(end == std::string_view::npos ? raw.size() : end + 1);
    if (field.empty()) continue;
    const auto equals = field.find('=');
    auto name = unescaped(field.substr(0, equals), true);
    auto value = unescaped(equals == std::string_view::npos ? "" : field.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    fields.emplace_back(std::move(*name), std::move(*value));
  }
  return fields;
}

bool is_request_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
  });
}

ChunkedDecoder::State ChunkedDecoder::take_size_byte(char c) {
  if (++line_bytes_ > kChunkLineBytesMax) return State::malformed;
  if (c == '\r') {
    part_ = Part::size_line_feed;
    return digits_ > 0 ? State::more : State::malformed;
  }
  if (extension_) return is_control(c) && c != '\t' ? State::malformed : State::more;
  if (c == ';' && digits_ > 0) {
    extension_ = true;
    return State::more;
  }
  const int value = hex_value(c);
  if (value < 0 || ++digits_ > 15) return State::malformed;  // 15 digits: no overflow
  chunk_ = chunk_ * 16 + static_cast<std::uint64_t>(value);
  return State::more;
}

ChunkedDecoder::State ChunkedDecoder::end_size_line() {
  if (chunk_ > left_) return State::too_large;
  left_ -= chunk_;
  part_ = chunk_ > 0 ? Part::content : Part::trailer;
  return State::more;
}

ChunkedDecoder::State ChunkedDecoder::take_trailer_byte(char c) {
  if (++trailer_bytes_ > kTrailerBytesMax) return State::malformed;
  if (after_return_) {
    if (c != '\n') return State::malformed;
    after_return_ = false;
    if (trailer_line_ == 0) return State::done;
    trailer_line_ = 0;
  } else if (c == '\r') {
    after_return_ = true;
  } else if (is_control(c) && c != '\t') {
    return State::malformed;
  } else {
    ++trailer_line_;
  }
  return State::more;
}

ChunkedDecoder::State ChunkedDecoder::next(std::string_view& input, std::size_t size_max,
                                           std::string_view& payload) {
  payload = {};
  while (!input.empty()) {
    if (part_ == Part::content) {
      const auto size = std::min<std::uint64_t>({chunk_, size_max, input.size()});
      payload = input.substr(0, size);
      input.remove_prefix(size);
      chunk_ -= size;
      if (chunk_ == 0) part_ = Part::content_return;
      return State::more;
    }
    const char c = input.front();
    input.remove_prefix(1);
    State state = State::more;
    switch (part_) {
      case Part::size:
        state = take_size_byte(c);
        break;
      case Part::size_line_feed:
        state = c == '\n' ? end_size_line() : State::malformed;
        break;
      case Part::content_return:
        state = c == '\r' ? State::more : State::malformed;
        part_ = Part::content_line_feed;
        break;
      case Part::content_line_feed:
        state = c == '\n' ? State::more : State::malformed;
        part_ = Part::size;
        line_bytes_ = 0;
        digits_ = 0;
        extension_ = false;
        break;
      case Part::trailer:
        state = take_trailer_byte(c);
        break;
      case Part::content:
        break;
    }
    if (state != State::more) return state;
  }
  return State::more;
}

}  // namespace mlpd::server
