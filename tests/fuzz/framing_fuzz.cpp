// Any bytes as a request: the parsers must neither read outside them nor disagree with themselves.
#include "server/http/framing.h"

#include <cstdint>
#include <string>

#include "tests/fuzz/require.h"

namespace {

using namespace mlpd::server;

using mlpd::fuzz::require;

/// The body, however the text is cut.
std::string decoded(std::string_view text, std::size_t step, ChunkedDecoder::State& state) {
  ChunkedDecoder decoder(1'000);
  std::string body;
  state = ChunkedDecoder::State::more;
  while (!text.empty() && state == ChunkedDecoder::State::more) {
    auto input = text.substr(0, step);
    text.remove_prefix(input.size());
    while (!input.empty() && state == ChunkedDecoder::State::more) {
      std::string_view payload;
      state = decoder.next(input, 100, payload);
      body.append(payload);
    }
  }
  require(body.size() <= 1'000);
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  HeadScanner whole, bytewise;
  const auto scanned = whole.scan(text);
  auto state = HeadScanner::State::incomplete;
  for (std::size_t i = 1; i <= size && state == HeadScanner::State::incomplete; ++i)
    state = bytewise.scan(text.substr(0, i));
  require(state == scanned);
  const auto head_bytes = scanned == HeadScanner::State::complete ? whole.size() : size;
  require(scanned != HeadScanner::State::complete || whole.size() == bytewise.size());
  RequestHead head;
  if (!parse_head(text.substr(0, head_bytes), 20, head)) {
    require(!head.path.empty() && head.path.front() == '/');
    require(!(head.chunked && head.content_length));
    require(head.fields.size() <= 20);
    if (const auto path = decode_path(head.path)) require(path->find('\0') == std::string::npos);
    decode_query(head.query);
  }
  const auto rest = text.substr(head_bytes);
  ChunkedDecoder::State at_once{}, in_bytes{};
  const auto body = decoded(rest, rest.size() + 1, at_once);
  require(body == decoded(rest, 1, in_bytes));
  require(at_once == in_bytes);
  return 0;
}
