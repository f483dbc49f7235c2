#include "core/digest.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace mlpd::core {
namespace {

TEST(Digest, OfBytesIsSha256) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
  };
  for (const auto& [bytes, hex] : cases) EXPECT_EQ(digest_bytes(bytes).hex(), hex);
}

TEST(Hasher, DifferentSequencesOfValuesNeverDigestAlike) {
  const std::array<float, 2> floats = {1, 2};
  const std::array<double, 2> doubles = {1, 2};
  const std::vector<Digest> digests = {
      Hasher().finish(),
      Hasher().add(std::string_view("")).finish(),
      Hasher().add(std::string_view("ab")).finish(),
      Hasher().add(std::string_view("a")).add(std::string_view("b")).finish(),
      Hasher().add(std::string_view("b")).add(std::string_view("a")).finish(),
      Hasher().add(std::uint64_t{1}).finish(),
      Hasher().add(std::uint64_t{1} << 56).finish(),
      Hasher().add(std::span<const float>(floats)).finish(),
      Hasher()
          .add(std::span<const float>(floats).first(1))
          .add(std::span<const float>(floats).last(1))
          .finish(),
      Hasher().add(std::span<const double>(doubles)).finish(),
      Hasher().add(0.0).finish(),
      Hasher().add(-0.0).finish(),
      Hasher().add(true).finish(),
      Hasher().add(false).finish(),
  };
  for (std::size_t i = 0; i < digests.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(digests[i] == digests[j]) << i << " and " << j;
}

TEST(Hasher, TheSameValuesDigestAlike) {
  const auto digest = [] {
    return Hasher().add(std::string_view("xor")).add(0.1).add(std::uint64_t{7}).finish();
  };
  EXPECT_EQ(digest(), digest());
  EXPECT_EQ(digest().hex().size(), 64u);
}

}  // namespace
}  // namespace mlpd::core
