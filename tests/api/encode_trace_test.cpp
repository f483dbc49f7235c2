#include "api/encode_trace.h"

#include <gtest/gtest.h>

namespace mlpd::api {
namespace {

TEST(EncodeTrace, KeepsShapesAndTheDtype) {
  core::Trace trace;
  trace.layers.resize(1);
  trace.layers[0].activation = "softmax";
  trace.layers[0].z = {{1, 2}, {static_cast<double>(0.1f), 2}};
  trace.layers[0].dh_dz = {{1, 2, 2}, {1, 2, 3, 4}};
  trace.layers[0].formulas = {{"z", "x"}};
  std::string text;
  JsonWriter out(text);
  write_trace(out, trace, core::Dtype::float32);
  EXPECT_NE(text.find(R"("z":[[0.1,2]])"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("dh_dz":[[[1,2],[3,4]]])"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("dloss_dh":null)"), std::string::npos) << text;
  text.clear();
  JsonWriter again(text);
  write_trace(again, trace, core::Dtype::float64);
  EXPECT_NE(text.find("0.10000000149011612"), std::string::npos) << text;
}

TEST(EncodeHistory, ShowsAbsentValuesInEveryForm) {
  const core::HistoryColumns columns{{"step", "loss"}, {{0, 1'000'000}, {core::kAbsent, 0.5}}};
  std::string text;
  JsonWriter out(text);
  write_history_columns(out, columns);
  EXPECT_EQ(text, R"({"step":[0,1000000],"loss":[null,0.5]})");
  EXPECT_EQ(history_as_csv(columns), "step,loss\n0,\n1000000,0.5\n");
  EXPECT_EQ(history_as_ndjson(columns), "{\"step\":0}\n{\"step\":1000000,\"loss\":0.5}\n");
}

TEST(EncodeCsv, QuotesWhereNeeded) {
  const struct {
    std::string_view cell, written;
  } kCases[] = {{"a", "a"}, {"a,b", "\"a,b\""}, {"a\"b", "\"a\"\"b\""}, {"a\nb", "\"a\nb\""}, {"", ""}};
  for (const auto& c : kCases) {
    std::string out;
    append_csv_cell(out, c.cell);
    EXPECT_EQ(out, c.written);
  }
}

}  // namespace
}  // namespace mlpd::api
