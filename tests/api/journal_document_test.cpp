#include "api/journal_document.h"

#include <gtest/gtest.h>

#include "api/decode_network.h"
#include "api/json.h"
#include "api/model_document.h"

namespace mlpd::api {
namespace {

TEST(JournalDocument, SpecsComeBackWithTheirStartNumbers) {
  const auto request = decode_create(
      *parse_json(R"({"inputs":["a","b"],"class_labels":["x","y"],"seed":18446744073709551615,"ema":0.5,
        "layers":[{"units":2,"weights":[[0.1,-0],[3,4]],"bias":[1,2],"initializer":{"type":"uniform","limit":0.5}},
        {"type":"dropout","rate":0.25},{"type":"residual","layers":[{"units":2,"bias":false}]},{"type":"layer_norm"},
        {"type":"batch_norm","momentum":0.2},{"units":2}],
        "loss":{"type":"cross_entropy","label_smoothing":0.1},"optimizer":{"type":"sgd","momentum":0.9,"nesterov":true},
        "schedule":{"type":"warmup","steps":5,"then":{"type":"cosine","steps":10,"minimum":0.001}},
        "regularization":{"l1":0.1,"l2":0.2},"gradient_clip":{"norm":1,"value":2},"dtype":"float64"})"),
      {});
  ASSERT_TRUE(request.ok()) << request.error().message;
  const auto back = read_spec(write_spec(request->spec));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, request->spec);
  EXPECT_EQ(*read_hyper_parameters(write_hyper_parameters(request->spec.hyper_parameters)),
            request->spec.hyper_parameters);
  EXPECT_EQ(*read_spec(seal_document(write_spec(request->spec))), request->spec);
}

TEST(JournalDocument, EveryOptimizerAndScheduleComesBack) {
  for (const auto& optimizer : core::optimizers())
    for (const auto& schedule : core::schedules()) {
      core::HyperParameters value;
      value.optimizer = core::default_options(optimizer.value);
      value.optimizer.learning_rate = 0.125;
      value.schedule.kind = schedule.value;
      if (schedule.value == core::Schedule::warmup) value.schedule.then.resize(1);
      const auto back = read_hyper_parameters(write_hyper_parameters(value));
      ASSERT_TRUE(back.ok()) << back.error().message;
      EXPECT_EQ(*back, value) << optimizer.name << " " << schedule.name;
    }
}

TEST(JournalDocument, TrainRequestsComeBackWithoutTheirRows) {
  TrainRequest request;
  request.plan.steps = 77;
  request.plan.batches = {8, true, {0.5, 2}};
  request.plan.validation_fraction = 0.2;
  request.plan.early_stopping = core::EarlyStopping{3, "loss", 0.25};
  request.plan.keep_best = true;
  request.plan.record_every = 5;
  request.epochs = 9;
  request.hyper_parameters = core::HyperParameters{};
  request.max_seconds = 1.5;
  request.pace_steps_per_second = 20;
  request.checkpoint_every = 100;
  for (const std::optional<DataSource>& data :
       {std::optional<DataSource>{}, std::optional<DataSource>{std::string("iris")},
        std::optional<DataSource>{core::GeneratorOptions{core::Generator::moons, 30, 0.5, 7, 3}}}) {
    request.data = data;
    const auto back = read_train_request(write_train_request(request));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->plan, request.plan);
    EXPECT_EQ(back->epochs, request.epochs);
    EXPECT_EQ(back->hyper_parameters, request.hyper_parameters);
    EXPECT_EQ(back->max_seconds, request.max_seconds);
    EXPECT_EQ(back->pace_steps_per_second, request.pace_steps_per_second);
    EXPECT_EQ(back->checkpoint_every, request.checkpoint_every);
    ASSERT_EQ(back->data.has_value(), data.has_value());
    if (data) {
      EXPECT_EQ(*back->data, *data);
    }
  }
  request.data = std::make_shared<const core::Dataset>();
  EXPECT_FALSE(read_train_request(write_train_request(request))->data);
}

TEST(JournalDocument, DatasetsComeBackInBothForms) {
  for (const std::size_t rows : {std::size_t{2}, kReadableNumbersMax + 1}) {
    core::Dataset data;
    data.rows = rows;
    data.input_count = 1;
    data.output_count = 2;
    for (std::size_t i = 0; i < rows; ++i) data.inputs.push_back(0.1 * static_cast<double>(i));
    data.targets.assign(2 * rows, -0.0);
    data.class_labels = {"a", "b"};
    const std::string text = write_dataset(data);
    EXPECT_EQ(text.find("base64") != std::string::npos, rows > kReadableNumbersMax);
    const auto back = read_dataset(text);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->digest(), data.digest());
    EXPECT_EQ(back->class_labels, data.class_labels);
  }
  EXPECT_FALSE(read_dataset(R"({"inputs":[[1],[2]],"targets":[[1]]})").ok());
}

TEST(JournalDocument, JobsComeBackWithTheirFullError) {
  JobView job;
  job.id = "j1";
  job.network = "n";
  job.state = JobState::failed;
  job.steps_done = 5;
  job.steps_total = 10;
  job.step = 15;
  job.loss = 0.1;
  job.evaluation = core::Evaluation{4, 0.1, 0.09, 0.01, {{"accuracy", 0.75}, {"auc", 0.5}}, {{1, 2}, {3, 4}}};
  job.stop_reason = core::StopReason::diverged;
  job.best_step = 12;
  job.error = core::Error{core::ErrorCode::unavailable, "disk \"full\"\n", {{"#/a", "b"}}};
  job.steps_per_second = 3.25;
  job.created_at = Timestamp{std::chrono::milliseconds(1795466280123)};
  job.finished_at = Timestamp{std::chrono::milliseconds(1795466280456)};
  const auto back = read_job(write_job(job));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(write_job(*back), write_job(job));
  EXPECT_EQ(back->evaluation->metrics, job.evaluation->metrics);
  EXPECT_EQ(back->evaluation->confusion, job.evaluation->confusion);
  EXPECT_EQ(back->error->message, job.error->message);
  EXPECT_EQ(back->created_at, job.created_at);
  EXPECT_FALSE(back->started_at);
  EXPECT_FALSE(read_job(R"({"id":"a","network":"n","state":"odd","created_at":"x"})").ok());
}

TEST(JournalDocument, ProgressHistoryAndLabelsComeBack) {
  core::TrainingProgress progress;
  progress.steps_done = 3;
  progress.stale = 2;
  progress.best_value = 0.1;
  progress.best_step = 2;
  progress.best_parameters = std::vector<double>{0.1, -0.0, 5e-324};
  const auto back = read_progress(write_progress(progress));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->best_parameters, progress.best_parameters);
  EXPECT_EQ(back->best_value, progress.best_value);
  EXPECT_EQ(write_progress(*back), write_progress(progress));
  EXPECT_TRUE(read_progress(write_progress({})).ok());
  core::History::State history;
  history.stride = 2;
  history.seen = 9;
  history.records.resize(2);
  history.records[1].step = 4;
  history.records[1].loss = 0.5;
  EXPECT_EQ(write_history(*read_history(write_history(history))), write_history(history));
  const Labels labels = {{"a", "b"}, {"c", ""}};
  EXPECT_EQ(*read_labels(write_labels(labels)), labels);
}

TEST(JournalDocument, DamagedTextIsRefused) {
  for (auto text : {"", "{", "[]", R"({"odd":1})"}) {
    EXPECT_FALSE(read_spec(text).ok()) << text;
    EXPECT_FALSE(read_train_request(text).ok()) << text;
    EXPECT_FALSE(read_dataset(text).ok()) << text;
    EXPECT_FALSE(read_job(text).ok()) << text;
    EXPECT_FALSE(read_progress(text).ok()) << text;
    EXPECT_FALSE(read_history(text).ok()) << text;
  }
}

}  // namespace
}  // namespace mlpd::api
