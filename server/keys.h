#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"
#include "core/result.h"

namespace mlpd::server {

/// What a bearer key may do, and how it is recognised; never the key itself.
struct Key {
  std::string id;    ///< 8 hexadecimal digits; part of the key, shown in logs
  std::string name;  ///< for people, may be empty
  api::Scope scope = api::Scope::read;
  std::string network_prefix;      ///< only networks whose names begin so; empty: all
  double requests_per_second = 0;  ///< 0: any number
  std::string created_at;          ///< RFC 3339
  std::string revoked_at;          ///< empty while it is valid
  std::string hash;                ///< hash_key() of the key
};

/// "read", "predict", "train", "admin"; nullopt for other words. "none" is no key's scope.
std::optional<api::Scope> scope_named(std::string_view name);
std::string_view name_of(api::Scope scope);

/// Whether a text has a key's form, "mlpd_ID_" and 64 hexadecimal digits, so that it can be warned of where a
/// key must not be.
bool looks_like_key(std::string_view text);

/// BLAKE2b-256 in hexadecimal (libsodium). Fast on purpose: a key has 256 random bits, no guess comes near.
std::string hash_key(std::string_view key);

/// The valid key that `presented` is; null where there is none. Compares with every entry in a time that does
/// not depend on what is presented (sodium_memcmp).
const Key* find_key(const std::vector<Key>& keys, std::string_view presented);

/// The keys of a file, none where it is missing. failed_precondition where others than its owner may read it
/// (a file of another owner, such as a mounted secret, may be readable by our group); corrupted where it is
/// no key file.
core::Result<std::vector<Key>> read_keys(const std::string& path);

/// Makes a key as `wanted` (id, created_at and hash are filled) and keeps its hash in the file, which is made
/// with mode 0600 where it is missing. The key, which nothing can show again.
core::Result<std::string> create_key(const std::string& path, Key wanted);

/// From now on the key is refused (by a server after its next SIGHUP or start). not_found for an unknown id.
core::Result<void> revoke_key(const std::string& path, const std::string& id);

}  // namespace mlpd::server
