// Host tool: embed_assets OUT.cpp DIR writes every file below DIR, plain and compressed, as one table for
// server/http/assets.h. Octal string literals, since hex arrays compile a hundred times slower.
#include <brotli/encode.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kContentTypes{{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".csv", "text/csv; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".woff2", "font/woff2"},
}};

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string gzip(const std::string& plain) {
  constexpr int kGzipWindow = 15 + 16;
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, kGzipWindow, 9, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, plain.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string brotli(const std::string& plain) {
  std::size_t size = BrotliEncoderMaxCompressedSize(plain.size());
  std::string packed(size, '\0');
  BrotliEncoderCompress(BROTLI_MAX_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, plain.size(),
                        reinterpret_cast<const std::uint8_t*>(plain.data()), &size,
                        reinterpret_cast<std::uint8_t*>(packed.data()));
  packed.resize(size);
  return packed;
}

/// FNV-1a, 64 bits.
std::string digest(const std::string& bytes) {
  std::uint64_t hash = 14695981039346656037ull;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ull;
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
  return text.data();
}

std::string_view content_type(const fs::path& path) {
  for (const auto& [extension, type] : kContentTypes)
    if (path.extension() == extension) return type;
  return "application/octet-stream";
}

void write_literal(std::ofstream& out, std::string_view bytes) {
  constexpr std::size_t kBytesPerLine = 4096;
  if (bytes.empty()) {
    out << "    {},\n";
    return;
  }
  out << "    {\n";
  std::array<char, 8> octal{};
  for (std::size_t i = 0; i < bytes.size(); i += kBytesPerLine) {
    out << '"';
    for (const char byte : bytes.substr(i, kBytesPerLine)) {
      std::snprintf(octal.data(), octal.size(), "\\%03o",
                    static_cast<unsigned>(static_cast<unsigned char>(byte)));
      out << octal.data();
    }
    out << "\"\n";
  }
  out << "    , " << bytes.size() << "},\n";
}

void write_asset(std::ofstream& out, const fs::path& file, const fs::path& root) {
  const std::string name = fs::relative(file, root).generic_string();
  const std::string plain = read_file(file);
  const bool immutable = name.rfind("assets/", 0) == 0;  // vite puts a hash in the names of these
  const auto if_smaller = [&](std::string packed) {
    return packed.size() < plain.size() ? packed : std::string();
  };
  out << "  {\"/" << name << "\", \"" << content_type(file) << "\", \"\\\"" << digest(plain) << "\\\"\", "
      << (immutable ? "true" : "false") << ",\n";
  write_literal(out, plain);
  write_literal(out, if_smaller(gzip(plain)));
  write_literal(out, if_smaller(brotli(plain)));
  out << "  },\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || !fs::is_regular_file(fs::path(argv[2]) / "index.html")) {
    std::fprintf(stderr, "usage: embed_assets OUT.cpp DIR (with an index.html in it)\n");
    return 2;
  }
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(argv[2]))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end(), [&](const fs::path& a, const fs::path& b) {
    return fs::relative(a, argv[2]).generic_string() < fs::relative(b, argv[2]).generic_string();
  });
  std::ofstream out(argv[1]);
  out << "#include \"server/http/assets.h\"\n\nnamespace mlpd::server {\nnamespace {\nconstexpr Asset "
         "kAssets[] = {\n";
  for (const fs::path& file : files) write_asset(out, file, argv[2]);
  out << "};\n}  // namespace\n\nstd::span<const Asset> embedded_assets() { return kAssets; }\n\n"
      << "}  // namespace mlpd::server\n";
  out.close();
  return out ? 0 : 1;
}
