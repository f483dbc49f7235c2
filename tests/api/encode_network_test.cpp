#include "api/encode_network.h"

#include <gtest/gtest.h>

#include "api/decode_network.h"

namespace mlpd::api {
namespace {

TEST(EncodeNetwork, WhatIsShownCanBeSentAgain) {
  const auto request = decode_create(*parse_json(
                                         R"({"inputs":2,
             "layers":[{"units":4,"activation":"relu","initializer":{"type":"normal","deviation":2}},
        {"type":"dropout","rate":0.1},{"type":"residual","layers":[{"units":4}]},{"units":1}],"loss":"huber",
        "optimizer":"rmsprop","schedule":{"type":"one_cycle","steps":10,"maximum":0.1},"seed":9})"),
                                     {});
  ASSERT_TRUE(request.ok()) << request.error().message;
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  write_spec_fields(out, request->spec, StartNumbers::leave_out);
  out.end_object();
  const auto again = decode_create(*parse_json(text), {});
  ASSERT_TRUE(again.ok()) << text << again.error().message;
  EXPECT_EQ(again->spec, request->spec);
}

TEST(EncodeNetwork, StartNumbersAreShownOnlyWhereAskedFor) {
  const auto request =
      decode_create(*parse_json(R"({"inputs":1,"layers":[{"units":1,"weights":[[5]],"bias":[6]}]})"), {});
  std::string without, with;
  JsonWriter plain(without), full(with);
  plain.begin_object();
  write_spec_fields(plain, request->spec, StartNumbers::leave_out);
  plain.end_object();
  full.begin_object();
  write_spec_fields(full, request->spec, StartNumbers::include);
  full.end_object();
  EXPECT_EQ(without.find("weights"), std::string::npos);
  EXPECT_NE(with.find(R"("bias":[6],"weights":[[5]])"), std::string::npos) << with;
}

TEST(EncodeNetwork, OptionalPartsAreLeftOut) {
  NetworkView network;
  network.name = "n";
  network.spec = decode_create(*parse_json(R"({"inputs":1,"layers":[{"units":1}]})"), {})->spec;
  std::string text;
  JsonWriter out(text);
  write_network(out, network);
  const Json json = *parse_json(text);
  for (auto name : {"ttl_s", "last_record", "last_job", "forked_from", "input_names"})
    EXPECT_EQ(json.find(name), nullptr) << name;
  network.forked_from = {"parent", 7};
  network.ttl_s = 3;
  text.clear();
  JsonWriter again(text);
  write_network(again, network);
  EXPECT_NE(text.find(R"("forked_from":{"network":"parent","step":7})"), std::string::npos);
  EXPECT_NE(text.find(R"("ttl_s":3)"), std::string::npos);
}

}  // namespace
}  // namespace mlpd::api
