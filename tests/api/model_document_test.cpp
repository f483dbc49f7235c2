#include "api/model_document.h"

#include <bit>

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class ModelDocumentTest : public ApiTest {
 protected:
  ModelExport trained(const std::string& spec) {
    EXPECT_EQ(post("/v1/networks", spec).status, 201);
    EXPECT_EQ(post("/v1/networks/n/train",
                   R"({"data":{"generator":"xor","rows":60},"steps":7,"batch_size":16,"shuffle":true})")
                  .status,
              200);
    return *service.export_model("n", {}, true);
  }
};

const std::string kSpec =
    R"({"name":"n","inputs":2,"layers":[{"units":5,"activation":"relu","initializer":{"type":"normal","deviation":0.3}},
     {"type":"batch_norm"},{"units":2,"bias":false}],"labels":{"a":"b"},"ema":0.99,"seed":18446744073709551615,
     "schedule":{"type":"warmup","steps":3,"then":{"type":"plateau","factor":0.5}}})";

TEST_F(ModelDocumentTest, ComesBackBitForBitInBothFormsAndDtypes) {
  for (const std::string dtype : {"float32", "float64"}) {
    service.networks.clear();
    const ModelExport model = trained(kSpec.substr(0, kSpec.size() - 1) + ",\"dtype\":\"" + dtype + "\"}");
    for (const ArrayForm form : {ArrayForm::readable, ArrayForm::base64}) {
      const std::string text = write_model(model, form);
      EXPECT_TRUE(check_seal(text).ok());
      const auto back = read_model(text, {});
      ASSERT_TRUE(back.ok()) << back.error().message;
      EXPECT_EQ(back->name, "n");
      EXPECT_EQ(back->labels, model.labels);
      EXPECT_EQ(back->checkpoint.parameters, model.checkpoint.parameters);
      EXPECT_EQ(back->checkpoint.arrays, model.checkpoint.arrays);
      EXPECT_EQ(back->checkpoint.numbers, model.checkpoint.numbers);
      EXPECT_EQ(back->checkpoint.cursor, model.checkpoint.cursor);
      EXPECT_EQ(core::state_digest(back->checkpoint), core::state_digest(model.checkpoint));
      ASSERT_TRUE(back->history);
      EXPECT_EQ(back->history->records.size(), model.history->records.size());
      EXPECT_EQ(write_model(*back, form), text);
    }
  }
}

TEST_F(ModelDocumentTest, EveryFlippedByteIsFound) {
  const std::string text =
      write_model(trained(R"({"name":"n","inputs":2,"layers":[{"units":2}]})"), ArrayForm::base64);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(check_seal(damaged).ok()) << i;
  }
  for (std::size_t i = 0; i < text.size(); ++i) EXPECT_FALSE(check_seal(text.substr(0, i)).ok()) << i;
  EXPECT_TRUE(check_seal(text + "\n").ok());
}

TEST_F(ModelDocumentTest, AReformattedDocumentIsStillCheckedByItsDigest) {
  const std::string text = write_model(trained(kSpec), ArrayForm::readable);
  EXPECT_TRUE(read_model(text + "\n", {}).ok());
  const auto edit = [](std::string document, const std::string& from, const std::string& to) {
    const auto at = document.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return document.replace(at, from.size(), to);
  };
  EXPECT_EQ(read_model(edit(text, "\"adam.t\":7", "\"adam.t\":8"), {}).error().code,
            core::ErrorCode::corrupted);
  const std::string spaced = edit(text, "\"step\":7", "\n\"step\":7");
  EXPECT_TRUE(read_model(spaced, {}).ok());
  EXPECT_EQ(read_model(edit(spaced, "\"adam.t\":7", "\"adam.t\":8"), {}).error().code,
            core::ErrorCode::corrupted);
  const std::string freed = edit(spaced, "state_sha256", "name2");
  EXPECT_EQ(read_model(freed, {}).error().fields[0].pointer, "#/name2");
}

TEST_F(ModelDocumentTest, AHandMadeDocumentNeedsLittle) {
  const auto model = read_model(
      R"({"format":"mlpd-model","format_version":1,"spec":{"inputs":1,"layers":[{"units":1}]},"parameters":[2,0.5]})",
      {});
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(std::get<std::vector<float>>(model->checkpoint.parameters), (std::vector<float>{2, 0.5f}));
}

TEST_F(ModelDocumentTest, SaysWhatIsWrong) {
  const struct {
    std::string_view text, pointer;
  } kCases[] = {
      {"{}", "#/format"},
      {R"({"format":"x","format_version":1,"spec":{"inputs":1,"layers":[{"units":1}]},"parameters":[2,0]})",
       "#/format"},
      {R"({"format":"mlpd-model","format_version":2,"spec":{"inputs":1,"layers":[{"units":1}]},"parameters":[2,0]})",
       "#/format_version"},
      {R"({"format":"mlpd-model","format_version":1,"spec":{"inputs":1,"layers":[{"units":1}]},"parameters":[2]})",
       "#/parameters"},
      {R"({"format":"mlpd-model","format_version":1,"spec":{"inputs":1,"layers":[{"units":0}]},"parameters":[2]})",
       "#/spec/layers/0/units"},
      {R"({"format":"mlpd-model","format_version":1,"spec":{"inputs":1,"layers":[{"units":1}]},"parameters":[1e39,0]})",
       "#/parameters"},
      {R"({"format":"mlpd-model","format_version":1,"spec":{"inputs":1,"layers":[{"units":1}]},"parameters":[1,0],
          "cursor":{"data_sha256":"xyz"}})",
       "#/cursor/data_sha256"},
      {R"({"format":"mlpd-model","format_version":1,"spec":{"inputs":1,"layers":[{"units":1}]},"parameters":[1,0],
          "history":{"columns":{"step":[2,1]}}})",
       "#/history/columns/step"},
  };
  for (const auto& c : kCases) {
    const auto model = read_model(c.text, {});
    ASSERT_FALSE(model.ok()) << c.text;
    ASSERT_FALSE(model.error().fields.empty()) << model.error().message;
    EXPECT_EQ(model.error().fields[0].pointer, c.pointer);
  }
  EXPECT_TRUE(read_model("{", {}).error().fields.empty());
}

TEST_F(ModelDocumentTest, KeepsThePreprocess) {
  ModelExport model = trained(R"({"name":"n","inputs":2,"layers":[{"units":2}]})");
  core::Preprocess preprocess;
  preprocess.columns.resize(2);
  preprocess.columns[0].name = "age";
  preprocess.columns[0].offset = 0.1;
  preprocess.columns[1].name = "height";
  preprocess.columns[1].scaling = core::Scaling::min_max;
  preprocess.target.name = "class";
  preprocess.target.type = core::ColumnType::label;
  preprocess.target.categories = {"no", "yes"};
  preprocess.held_out.test = 0.25;
  model.checkpoint.preprocess = std::make_shared<const core::Preprocess>(preprocess);
  const auto back = read_model(write_model(model, ArrayForm::readable), {});
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back->checkpoint.preprocess, preprocess);
}

}  // namespace
}  // namespace mlpd::api
