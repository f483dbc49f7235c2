#include "server/keys.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "server/store/file_system.h"

namespace mlpd::server {
namespace {

using core::Error;
using core::ErrorCode;
using core::Result;
using Json = nlohmann::json;

constexpr std::string_view kPrefix = "mlpd_";
constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kKeySize = kPrefix.size() + 2 * kIdBytes + 1 + 2 * kSecretBytes;
constexpr std::array<std::string_view, 5> kScopes = {"none", "read", "predict", "train", "admin"};

/// libsodium chooses its implementations once.
void set_up_sodium() { [[maybe_unused]] static const int done = sodium_init(); }

std::string hex(const unsigned char* bytes, std::size_t size) {
  std::string text(2 * size + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes, size);
  text.pop_back();
  return text;
}

std::string random_hex(std::size_t size) {
  set_up_sodium();
  std::vector<unsigned char> bytes(size);
  randombytes_buf(bytes.data(), bytes.size());
  return hex(bytes.data(), bytes.size());
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

Error failed(const std::string& path, const std::string& what) {
  return {ErrorCode::unavailable, path + ": " + what + ": " + std::strerror(errno)};
}

Error damaged(const std::string& path) {
  return {ErrorCode::corrupted, path + " is no key file; restore it, or delete it and make new keys"};
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Key> key_of(const Json& object) {
  if (!object.is_object()) return std::nullopt;
  Key key;
  key.id = text_of(object, "id");
  key.name = text_of(object, "name");
  key.network_prefix = text_of(object, "network_prefix");
  key.created_at = text_of(object, "created_at");
  key.revoked_at = text_of(object, "revoked_at");
  key.hash = text_of(object, "hash");
  const auto scope = scope_named(text_of(object, "scope"));
  const auto rate = object.find("requests_per_second");
  if (rate != object.end() && rate->is_number()) key.requests_per_second = rate->get<double>();
  if (!scope || key.id.empty() || key.hash.size() != 2 * kHashBytes || key.requests_per_second < 0)
    return std::nullopt;
  key.scope = *scope;
  return key;
}

Json json_of(const Key& key) {
  Json object = {{"id", key.id},
                 {"name", key.name},
                 {"scope", name_of(key.scope)},
                 {"created_at", key.created_at},
                 {"hash", key.hash}};
  if (!key.network_prefix.empty()) object["network_prefix"] = key.network_prefix;
  if (key.requests_per_second > 0) object["requests_per_second"] = key.requests_per_second;
  if (!key.revoked_at.empty()) object["revoked_at"] = key.revoked_at;
  return object;
}

bool write_all(int file, const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t count = ::write(file, text.data() + sent, text.size() - sent);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return ::fsync(file) == 0;
}

/// Holds the file that will take the old one's place; while it is there, nobody else changes the keys.
class Replacement {
 public:
  explicit Replacement(const std::string& path)
      : path_(path),
        fresh_(path + ".new"),
        file_(::open(fresh_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
    if (file_ >= 0) keep_owner();
  }
  ~Replacement() {
    if (file_ < 0) return;
    ::close(file_);
    if (!done_) ::unlink(fresh_.c_str());
  }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  Result<void> opened() const {
    if (file_ >= 0) return {};
    return failed(fresh_, errno == EEXIST ? "another mlpd key is at work (if none is, delete this file)"
                                          : "can't be made");
  }
  Result<void> commit(const std::vector<Key>& keys) {
    Json all = Json::array();
    for (const Key& key : keys) all.push_back(json_of(key));
    const std::string text = Json{{"keys", all}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    if (!write_all(file_, text)) return failed(fresh_, "can't be written");
    done_ = ::rename(fresh_.c_str(), path_.c_str()) == 0;
    if (!done_) return failed(path_, "can't be replaced");
    return FileSystem().sync_folder(std::filesystem::path(path_).parent_path());
  }

 private:
  /// root makes keys for a server that runs as somebody else: whose the old file is, or else the folder.
  void keep_owner() const {
    struct stat status {};
    const auto folder = std::filesystem::path(path_).parent_path();
    if (::stat(path_.c_str(), &status) != 0 && ::stat(folder.empty() ? "." : folder.c_str(), &status) != 0)
      return;
    [[maybe_unused]] const int given = ::fchown(file_, status.st_uid, status.st_gid);  // root alone may
  }

  std::string path_;
  std::string fresh_;
  int file_;
  bool done_ = false;
};

Result<void> check_mode(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return failed(path, "can't be looked at");
  const mode_t forbidden = status.st_uid == ::geteuid() ? 0077 : 0027;
  if ((status.st_mode & forbidden) == 0) return {};
  return Error{ErrorCode::failed_precondition, path + " can be read or changed by others; chmod 600 " + path};
}

}  // namespace

std::optional<api::Scope> scope_named(std::string_view name) {
  const auto found = std::find(kScopes.begin() + 1, kScopes.end(), name);
  if (found == kScopes.end()) return std::nullopt;
  return static_cast<api::Scope>(found - kScopes.begin());
}

std::string_view name_of(api::Scope scope) { return kScopes[static_cast<std::size_t>(scope)]; }

bool looks_like_key(std::string_view text) { return text.size() == kKeySize && text.starts_with(kPrefix); }

std::string hash_key(std::string_view key) {
  set_up_sodium();
  std::array<unsigned char, kHashBytes> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                     nullptr, 0);
  return hex(hash.data(), hash.size());
}

const Key* find_key(const std::vector<Key>& keys, std::string_view presented) {
  const std::string hash = hash_key(presented);
  const Key* found = nullptr;
  for (const Key& key : keys) {
    const bool same = sodium_memcmp(key.hash.data(), hash.data(), hash.size()) == 0;
    if (same && key.revoked_at.empty()) found = &key;
  }
  return found;
}

Result<std::vector<Key>> read_keys(const std::string& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code) && !code) return std::vector<Key>{};
  if (auto safe = check_mode(path); !safe) return safe.error();
  std::ifstream file(path);
  if (!file) return failed(path, "can't be read");
  std::ostringstream text;
  text << file.rdbuf();
  const Json document = Json::parse(text.str(), nullptr, false);
  if (!document.is_object() || !document.contains("keys") || !document["keys"].is_array())
    return damaged(path);
  std::vector<Key> keys;
  for (const Json& object : document["keys"]) {
    auto key = key_of(object);
    if (!key) return damaged(path);
    keys.push_back(*std::move(key));
  }
  return keys;
}

Result<std::string> create_key(const std::string& path, Key wanted) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code code;
  if (!folder.empty()) std::filesystem::create_directories(folder, code);
  Replacement replacement(path);
  if (auto opened = replacement.opened(); !opened) return opened.error();
  auto keys = read_keys(path);
  if (!keys) return keys.error();
  wanted.id = random_hex(kIdBytes);
  wanted.created_at = now_text();
  const std::string key = std::string(kPrefix) + wanted.id + "_" + random_hex(kSecretBytes);
  wanted.hash = hash_key(key);
  keys->push_back(std::move(wanted));
  if (auto written = replacement.commit(*keys); !written) return written.error();
  return key;
}

Result<void> revoke_key(const std::string& path, const std::string& id) {
  auto before = read_keys(path);
  if (!before) return before.error();
  const auto has_id = [&](const Key& key) { return key.id == id; };
  if (std::none_of(before->begin(), before->end(), has_id))
    return Error{ErrorCode::not_found, "there is no key " + id + " in " + path + "; mlpd key list shows all"};
  Replacement replacement(path);
  if (auto opened = replacement.opened(); !opened) return opened;
  auto keys = read_keys(path);
  if (!keys) return keys.error();
  for (Key& key : *keys)
    if (key.id == id && key.revoked_at.empty()) key.revoked_at = now_text();
  return replacement.commit(*keys);
}

}  // namespace mlpd::server
