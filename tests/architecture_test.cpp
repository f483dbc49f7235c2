// Holds the tree to docs/architecture.md: who includes whom, sizes, names, mirroring. Each rule has its list
// of exceptions, with the reason; an exception that is no longer needed fails too.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Exceptions = std::map<std::string, std::string>;  // path or name → reason

const fs::path kRoot = fs::current_path();  // the source folder: ctest starts tests there

constexpr std::size_t kLineColumnsMax = 110;
constexpr std::size_t kFileLinesMax = 500;
constexpr std::size_t kFunctionLinesMax = 70;

struct SourceFile {
  std::string path;  // relative to the root
  std::vector<std::string> lines;
};

SourceFile read(const fs::path& path) {
  SourceFile file{fs::relative(path, kRoot).generic_string(), {}};
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) file.lines.push_back(line);
  return file;
}

bool is_cpp(const fs::path& path) { return path.extension() == ".cpp" || path.extension() == ".h"; }

/// Files under a folder of the project, sorted; none where the folder isn't there.
std::vector<fs::path> paths_under(const std::string& folder) {
  static const std::set<std::string> kForeign = {"node_modules", "dist", "__pycache__", "build"};
  std::vector<fs::path> found;
  if (!fs::exists(kRoot / folder)) return found;
  for (auto it = fs::recursive_directory_iterator(kRoot / folder); it != fs::recursive_directory_iterator();
       ++it) {
    if (it->is_directory() && kForeign.count(it->path().filename().string()) > 0)
      it.disable_recursion_pending();
    else if (it->is_regular_file())
      found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<SourceFile> cpp_files(const std::vector<std::string>& folders) {
  std::vector<SourceFile> files;
  for (const std::string& folder : folders)
    for (const fs::path& path : paths_under(folder))
      if (is_cpp(path)) files.push_back(read(path));
  return files;
}

const std::vector<std::string> kCppFolders = {"core", "api", "server", "tests", "bench", "cmake"};

std::vector<std::string> includes_of(const SourceFile& file) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"].*)re");
  std::vector<std::string> included;
  std::smatch match;
  for (const std::string& line : file.lines)
    if (line.find("include") != std::string::npos && std::regex_match(line, match, kInclude))
      included.push_back(match[1]);
  return included;
}

bool begins_with_one_of(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& p) { return text.rfind(p, 0) == 0; });
}

/// Collects violations, then compares them with the rule's exceptions both ways.
class Rule {
 public:
  explicit Rule(Exceptions exceptions = {}) : exceptions_(std::move(exceptions)) {}
  ~Rule() {
    for (const auto& [subject, reason] : exceptions_)
      EXPECT_TRUE(used_.count(subject) > 0)
          << subject << " keeps the rule now: delete its exception (" << reason << ")";
  }
  void violated_by(const std::string& subject, const std::string& what) {
    if (exceptions_.count(subject) > 0)
      used_.insert(subject);
    else
      ADD_FAILURE() << subject << ": " << what;
  }

 private:
  Exceptions exceptions_;
  std::set<std::string> used_;
};

const std::vector<std::string> kThirdParty = {
    "nlohmann/", "httplib", "spdlog/", "fmt/",        "CLI/",    "simdjson", "Eigen/",
    "openssl/",  "sodium",  "hwy/",    "prometheus/", "onnx/",   "google/",  "csv.h",
    "spng",      "png.h",   "archive", "xxhash",      "brotli/", "zlib.h",   "zstd"};

TEST(Includes, GoFromServerToApiToCoreAndNeverBack) {
  const std::map<std::string, std::vector<std::string>> forbidden = {
      {"core", {"api/", "server/", "tests/", "bench/"}},
      {"api", {"server/", "tests/", "bench/"}},
      {"server", {"tests/", "bench/"}},
  };
  Rule rule;
  for (const auto& [layer, prefixes] : forbidden)
    for (const SourceFile& file : cpp_files({layer}))
      for (const std::string& included : includes_of(file))
        if (begins_with_one_of(included, prefixes)) rule.violated_by(file.path, "includes " + included);
}

TEST(Includes, CoreIsPureMathematics) {
  const std::vector<std::string> forbidden = {"nlohmann/",   "simdjson",
                                              "httplib",     "spdlog/",
                                              "fmt/",        "CLI/",
                                              "prometheus/", "fstream",
                                              "filesystem",  "iostream",
                                              "cstdio",      "stdio.h",
                                              "chrono",      "ctime",
                                              "time.h",      "thread",
                                              "mutex",       "shared_mutex",
                                              "future",      "atomic",
                                              "random",      "condition_variable",
                                              "semaphore",   "latch",
                                              "barrier",     "unistd.h",
                                              "sys/"};
  Rule rule;
  for (const SourceFile& file : cpp_files({"core"}))
    for (const std::string& included : includes_of(file))
      if (begins_with_one_of(included, forbidden)) rule.violated_by(file.path, "includes <" + included + ">");
}

TEST(Includes, ApiKnowsNoSocketFileOrThread) {
  const std::vector<std::string> forbidden = {"httplib",
                                              "spdlog/",
                                              "CLI/",
                                              "prometheus/",
                                              "sys/",
                                              "netinet/",
                                              "arpa/",
                                              "netdb.h",
                                              "unistd.h",
                                              "poll.h",
                                              "fcntl.h",
                                              "fstream",
                                              "filesystem",
                                              "thread",
                                              "mutex",
                                              "future",
                                              "condition_variable",
                                              "shared_mutex",
                                              "semaphore"};
  Rule rule;
  for (const SourceFile& file : cpp_files({"api"}))
    for (const std::string& included : includes_of(file))
      if (begins_with_one_of(included, forbidden)) rule.violated_by(file.path, "includes <" + included + ">");
}

TEST(Includes, HeadersShowNoThirdPartyTypes) {
  Rule rule;
  for (const SourceFile& file : cpp_files({"core", "server"})) {
    // Highway's name for bodies that are compiled once for each instruction set; no interface.
    const bool is_body = file.path.ends_with("-inl.h");
    if (fs::path(file.path).extension() != ".h" || is_body) continue;
    for (const std::string& included : includes_of(file))
      if (begins_with_one_of(included, kThirdParty))
        rule.violated_by(file.path, "includes <" + included + ">");
  }
}

TEST(Includes, HttplibIsKnownToOneFileAlone) {
  std::vector<std::string> users;
  for (const SourceFile& file : cpp_files(kCppFolders))
    for (const std::string& included : includes_of(file))
      if (included == "httplib.h") users.push_back(file.path);
  ASSERT_LE(users.size(), 1u) << testing::PrintToString(users);
  for (const std::string& user : users) EXPECT_EQ(fs::path(user).extension(), ".cpp");
}

/// Characters, not bytes: UTF-8's continuation bytes don't count.
std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(
      line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

TEST(Sizes, LinesAndFilesStayReadable) {
  Rule rule(Exceptions{
      {"api/openapi_schemas.cpp", "JSON schemas, a line each"},
      {"tests/api/decode_train_test.cpp", "request bodies, a line each"},
      {"tests/api/journal_document_test.cpp", "whole documents"},
      {"tests/api/model_document_test.cpp", "whole documents"},
      {"tests/golden/make_torch_goldens.py", "tables of cases"},
  });
  std::vector<SourceFile> files = cpp_files(kCppFolders);
  for (const char* folder : {"tests", "bench", "cmake", "docker"})
    for (const fs::path& path : paths_under(folder))
      if (path.extension() == ".py" || path.extension() == ".sh") files.push_back(read(path));
  for (const char* script : {"dev", ".ci/run"}) files.push_back(read(kRoot / script));
  for (const SourceFile& file : files) {
    if (file.lines.size() > kFileLinesMax)
      rule.violated_by(file.path, "has " + std::to_string(file.lines.size()) + " lines, at most " +
                                      std::to_string(kFileLinesMax));
    for (std::size_t i = 0; i < file.lines.size(); ++i)
      if (columns(file.lines[i]) > kLineColumnsMax)
        rule.violated_by(file.path, "line " + std::to_string(i + 1) + " has " +
                                        std::to_string(columns(file.lines[i])) + " columns");
  }
}

/// By the formatter's own layout: a body begins with a line that ends in "{" at no indentation (or two
/// columns, inside a class) and is no namespace, type or table; it ends with the closing brace at the same
/// indentation.
std::vector<std::pair<std::string, std::size_t>> functions_of(const SourceFile& file) {
  static const std::regex kNoFunction(
      R"(^\s*(namespace|class|struct|enum|union|extern|public|private|protected)\b.*)");
  std::vector<std::pair<std::string, std::size_t>> functions;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    if (indent > 2 || line.size() < 2 || line.substr(line.size() - 2) != " {" ||
        line.find('=') != std::string::npos || line.find(')') == std::string::npos ||
        std::regex_match(line, kNoFunction))
      continue;
    const std::string end = std::string(indent, ' ') + "}";
    std::size_t last = i;
    while (last < file.lines.size() && file.lines[last].rfind(end, 0) != 0) ++last;
    functions.emplace_back(line.substr(indent), last - i + 1);
  }
  return functions;
}

TEST(Sizes, FunctionsFitOnAScreen) {
  Rule rule(Exceptions{
      {"api/routes.cpp: std::vector<Route> network_routes", "a table, one row a route"},
  });
  std::size_t seen = 0;
  for (const SourceFile& file : cpp_files({"core", "api", "server"}))
    for (const auto& [head, lines] : functions_of(file)) {
      ++seen;
      if (lines > kFunctionLinesMax)
        rule.violated_by(
            file.path + ": " + head.substr(0, head.find('(')),
            "has " + std::to_string(lines) + " lines, at most " + std::to_string(kFunctionLinesMax));
    }
  EXPECT_GT(seen, 50u) << "the scan finds no functions any more";
}

TEST(Names, NoFileIsNamedAfterNothing) {
  static const std::regex kVague(R"((^|.*[_.-])(utils?|common|helpers?|managers?|misc)([_.-].*|$))");
  Rule rule;
  for (const char* folder : {"core", "api", "server", "web", "tests", "bench", "docker", "docs", "cmake"})
    for (const fs::path& path : paths_under(folder)) {
      const std::string relative = fs::relative(path, kRoot).generic_string();
      for (const fs::path& part : fs::path(relative))
        if (std::regex_match(part.string(), kVague)) rule.violated_by(relative, "is named after no noun");
    }
}

bool has_logic(const SourceFile& file) {
  return std::any_of(file.lines.begin(), file.lines.end(), [](const std::string& line) {
    return line.size() > 1 && line.find_first_not_of(' ') >= 2 && line.back() == ';' &&
           line.find("return") == std::string::npos;
  });
}

/// Files that are parts of something and tested through it: the test → the files. A mirror of its own is
/// better.
const std::map<std::string, std::vector<std::string>>& tested_through() {
  static const std::map<std::string, std::vector<std::string>> kTests = {
      {"tests/core/network_learner_test.cpp",
       {"core/batches.cpp", "core/checkpoint.cpp", "core/hyper_parameters.cpp", "core/layer.cpp",
        "core/network.cpp", "core/normalization.cpp", "core/optimizer.cpp", "core/optimizer_state.cpp",
        "core/schedule.cpp"}},
      {"tests/core/learner_test.cpp", {"core/formulas.cpp", "core/network_trace.cpp"}},
      {"tests/onnx/onnx_test.py", {"api/onnx_export.cpp", "api/onnx_import.cpp"}},
      {"tests/api/inference_v2_test.cpp",
       {"api/infer_handler.cpp", "api/inference_model.cpp", "api/inference_request.cpp",
        "api/inference_v2_handlers.cpp", "api/inference_v2_routes.cpp", "api/tensor_codec.cpp"}},
      {"tests/api/predict_handlers_test.cpp", {"api/prediction.cpp"}},
      {"tests/conformance/triton_client_test.py", {"server/inference_service.cpp"}},
      {"tests/core/kernels_test.cpp", {"core/kernels_oracle.cpp"}},
      {"tests/core/solver_test.cpp", {"core/jacobian.cpp", "core/lbfgs.cpp", "core/levenberg_marquardt.cpp"}},
      {"tests/core/generator_test.cpp", {"core/article_xor.cpp"}},
      {"tests/api/dataset_handlers_test.cpp", {"api/dataset_upload.cpp"}},
      {"tests/api/network_handlers_test.cpp", {"api/encode_network.cpp", "api/negotiation.cpp"}},
      {"tests/api/model_document_test.cpp", {"api/history_document.cpp", "api/preprocess_document.cpp"}},
      {"tests/e2e/first_session_test.py",
       {"api/encode_job.cpp", "api/job_handlers.cpp", "api/predict_handlers.cpp", "api/predict_rows.cpp",
        "server/demo.cpp"}},
      {"tests/e2e/article_test.py", {"api/encode_trace.cpp"}},
      {"tests/e2e/datasets_test.py", {"api/dataset_upload.cpp"}},
      {"tests/e2e/events_test.py", {"api/event_handlers.cpp", "server/event_broker.cpp"}},
      {"tests/e2e/backup_test.py", {"server/backup.cpp"}},
      {"tests/e2e/searches_test.py",
       {"api/search_document.cpp", "api/search_handlers.cpp", "server/search_run.cpp",
        "server/searches.cpp"}},
      {"tests/e2e/versions_test.py", {"server/publication.cpp"}},
      {"tests/e2e/models_folder_test.py", {"server/models_folder.cpp"}},
      {"tests/e2e/doctor_test.py",
       {"api/diagnosis_handlers.cpp", "api/exploding_start.cpp", "api/recipes.cpp", "api/remedies.cpp",
        "core/curvature.cpp", "core/diagnosis.cpp", "core/examination.cpp"}},
      {"tests/server/network_service_test.cpp",
       {"server/network_reads.cpp", "server/network_start.cpp", "server/time_travel.cpp"}},
      {"tests/e2e/equality_test.py",
       {"api/model_handlers.cpp", "server/timeline.cpp", "server/training_data.cpp"}},
      {"tests/e2e/command_line_test.py", {"server/main.cpp", "server/serve.cpp"}},
      {"tests/server/engine_test.cpp",
       {"server/commit.cpp", "server/jobs/scheduler.cpp", "server/network_entry.cpp",
        "server/network_keeper.cpp", "server/registry.cpp", "server/system_service.cpp"}},
      {"tests/server/job_service_test.cpp", {"server/jobs/job_runner.cpp"}},
      {"tests/server/network_service_test.cpp", {"server/network_reads.cpp"}},
      {"tests/server/store_test.cpp", {"server/store/committer.cpp"}},
      {"tests/server/file_store_test.cpp",
       {"server/store/file_store_recovery.cpp", "server/store/file_system.cpp"}},
  };
  return kTests;
}

TEST(Tests, MirrorTheSource) {
  std::set<std::string> covered;
  for (const auto& [test, files] : tested_through()) {
    EXPECT_TRUE(fs::exists(kRoot / test)) << test;
    for (const std::string& file : files) {
      EXPECT_TRUE(fs::exists(kRoot / file)) << file << ", listed under " << test;
      covered.insert(file);
    }
  }
  Rule rule;
  for (const SourceFile& file : cpp_files({"core", "api", "server"})) {
    const fs::path path(file.path);
    if (path.extension() != ".cpp" || covered.count(file.path) > 0 || !has_logic(file)) continue;
    const std::string mirror = path.stem().string() + "_test.cpp";
    const fs::path expected = fs::path("tests") / path.parent_path() / mirror;
    const fs::path flat = fs::path("tests") / *path.begin() / mirror;
    if (!fs::exists(kRoot / expected) && !fs::exists(kRoot / flat))
      rule.violated_by(file.path, "has no " + expected.generic_string() + " (or a line in tested_through)");
  }
}

TEST(Tests, HaveSomethingToTest) {
  Rule rule;
  for (const std::string layer : {"core", "api", "server"})
    for (const SourceFile& test : cpp_files({"tests/" + layer})) {
      const std::string stem = fs::path(test.path).stem().string();
      if (!stem.ends_with("_test")) continue;
      const bool includes_own_layer = [&] {
        for (const std::string& included : includes_of(test))
          if (begins_with_one_of(included, {layer + "/", "tests/" + layer + "/"})) return true;
        return false;
      }();
      if (!includes_own_layer) rule.violated_by(test.path, "includes nothing of " + layer + "/");
    }
}

TEST(Documents, NamePathsThatExist) {
  static const std::regex kPath(
      R"(`((?:core|api|server|web|tests|bench|docker|docs|cmake)/[A-Za-z0-9_./{},-]*)`)");
  Rule rule;
  for (const char* document : {"docs/architecture.md", "README.md", "CONTRIBUTING.md"}) {
    ASSERT_TRUE(fs::exists(kRoot / document)) << document;
    std::size_t named = 0;
    for (const std::string& line : read(kRoot / document).lines)
      for (auto it = std::sregex_iterator(line.begin(), line.end(), kPath); it != std::sregex_iterator();
           ++it) {
        ++named;
        const std::string path = (*it)[1];
        const auto brace = path.find('{');  // core/config.{h,cpp}
        if (brace == std::string::npos) {
          if (!fs::exists(kRoot / path))
            rule.violated_by(std::string(document) + ": " + path, "does not exist");
          continue;
        }
        std::istringstream endings(path.substr(brace + 1, path.find('}') - brace - 1));
        for (std::string ending; std::getline(endings, ending, ',');)
          if (!fs::exists(kRoot / (path.substr(0, brace) + ending)))
            rule.violated_by(std::string(document) + ": " + path, "does not exist");
      }
    EXPECT_TRUE(named > 10 || std::string(document) != "docs/architecture.md") << "names hardly any path";
  }
}

TEST(Documents, DecisionsAreFewAndShort) {
  std::size_t count = 0;
  for (const fs::path& path : paths_under("docs/adr")) {
    ++count;
    EXPECT_LE(read(path).lines.size(), 40u) << path;
  }
  EXPECT_LE(count, 8u);
}

TEST(Main, IsOnlyWiring) { EXPECT_LE(read(kRoot / "server/main.cpp").lines.size(), 60u); }

}  // namespace
