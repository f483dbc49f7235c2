#include "server/store/dataset_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "api/table_parser.h"
#include "core/generator.h"

namespace mlpd::server {
namespace {

namespace fs = std::filesystem;
using core::Cell;

// Fails the n-th change of the disk, and every one after it.
class FailingFiles final : public FileSystem {
 public:
  int left = 1'000'000;
  bool fails() { return left-- <= 0; }
  core::Result<void> failure() {
    return core::Error{core::ErrorCode::resource_exhausted, "no space left", {}};
  }
  core::Result<void> write(const fs::path& file, std::uint64_t offset, std::string_view bytes) override {
    return fails() ? failure() : FileSystem::write(file, offset, bytes);
  }
  core::Result<void> sync(const fs::path& file) override {
    return fails() ? failure() : FileSystem::sync(file);
  }
  core::Result<void> sync_folder(const fs::path& folder) override {
    return fails() ? failure() : FileSystem::sync_folder(folder);
  }
  core::Result<void> rename(const fs::path& from, const fs::path& to) override {
    return fails() ? failure() : FileSystem::rename(from, to);
  }
};

class Datasets : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("datasets_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    open();
  }
  void TearDown() override { fs::remove_all(folder_); }

  void open() {
    damaged_ = std::make_unique<Quarantine>(folder_, files_,
                                            [this](const std::string& line) { log_.push_back(line); });
    ASSERT_TRUE(damaged_->open().ok());
    store_ = std::move(*DatasetStore::open(
        folder_, files_,
        [this] {
          return std::chrono::sys_time<std::chrono::milliseconds>(time_ += std::chrono::milliseconds(1));
        },
        *damaged_));
  }

  core::Result<api::DatasetView> upload(const std::string& name, const std::string& csv,
                                        const std::string& target = "") {
    auto upload = store_->begin({.name = name, .source = "csv", .target = target, .types = {}});
    if (!upload) return upload.error();
    const auto parser = api::make_csv_parser({}, **upload);
    core::Result<void> fed = parser->feed(csv);
    if (fed) fed = parser->finish();
    if (!fed) return fed.error();
    return (*upload)->commit();
  }

  std::vector<std::vector<Cell>> rows_of(const std::string& name) {
    std::vector<std::vector<Cell>> rows;
    EXPECT_TRUE((*store_->rows(name))
                    ->for_each(0,
                               [&](std::size_t, std::span<const Cell> cells) {
                                 rows.emplace_back(cells.begin(), cells.end());
                                 return true;
                               })
                    .ok());
    return rows;
  }

  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const api::DatasetView& view : store_->list(100, "").items) names.push_back(view.name);
    return names;
  }

  fs::path folder_;
  std::shared_ptr<FailingFiles> files_ = std::make_shared<FailingFiles>();
  std::chrono::milliseconds time_{1'000};
  std::vector<std::string> log_;
  std::unique_ptr<Quarantine> damaged_;
  std::unique_ptr<DatasetStore> store_;
};

const std::string kFlowers = "length,colour,species\n1.5,red,a\n2.5,blue,b\n3.5,red,a\n4.5,blue,b\n";

TEST_F(Datasets, OutliveARestart) {
  const api::DatasetView made = *upload("flowers", kFlowers);
  EXPECT_EQ(made.profile.target, "species");
  EXPECT_EQ(made.profile.rows, 4u);
  const auto rows = rows_of("flowers");
  open();
  EXPECT_TRUE(log_.empty());
  const api::DatasetView again = *store_->read("flowers");
  EXPECT_EQ(again.profile, made.profile);
  EXPECT_EQ(again.sha256, made.sha256);
  EXPECT_EQ(again.created_at, made.created_at);
  EXPECT_EQ(rows_of("flowers"), rows);
  EXPECT_EQ(rows[1], (std::vector<Cell>{"2.5", "blue", "b"}));
}

TEST_F(Datasets, AreListedNewestFirstInPages) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(upload(name, kFlowers).ok());
  EXPECT_EQ(names(), (std::vector<std::string>{"c", "b", "a", "article-xor"}));
  const api::DatasetPage first = store_->list(2, "");
  EXPECT_EQ(first.items[1].name, "b");
  const api::DatasetPage second = store_->list(2, first.next_cursor);
  EXPECT_EQ(second.items[0].name, "a");
  EXPECT_EQ(second.next_cursor, "");
}

TEST_F(Datasets, RefuseATakenNameAndABuiltInOne) {
  ASSERT_TRUE(upload("flowers", kFlowers).ok());
  EXPECT_EQ(upload("flowers", kFlowers).error().code, core::ErrorCode::already_exists);
  EXPECT_EQ(upload("article-xor", kFlowers).error().code, core::ErrorCode::already_exists);
  EXPECT_EQ(store_->remove("article-xor").error().code, core::ErrorCode::permission_denied);
  EXPECT_EQ(store_->remove("none").error().code, core::ErrorCode::not_found);
  EXPECT_EQ(store_->rows("none").error().code, core::ErrorCode::not_found);
}

TEST_F(Datasets, AreGoneAfterRemovalAndRestart) {
  ASSERT_TRUE(upload("flowers", kFlowers).ok());
  EXPECT_TRUE(store_->remove("flowers").ok());
  EXPECT_EQ(names(), std::vector<std::string>{"article-xor"});
  open();
  EXPECT_EQ(names(), std::vector<std::string>{"article-xor"});
  EXPECT_TRUE(upload("flowers", kFlowers).ok());
}

TEST_F(Datasets, LeaveNothingBehindWhenAnUploadFails) {
  EXPECT_FALSE(upload("bad", "a,b\n1,2\nx,3\n4,5\n5,6\n").ok());
  EXPECT_FALSE(upload("bad", "a,b\n1\n").ok());
  EXPECT_TRUE(fs::is_empty(folder_ / "temporary"));
  EXPECT_TRUE(fs::is_empty(folder_ / "datasets"));
}

TEST_F(Datasets, EitherAppearWholeOrNotAtAllWhateverFails) {
  for (int left = 0;; ++left) {
    files_->left = left;
    const core::Result<api::DatasetView> made = upload("flowers", kFlowers);
    files_->left = 1'000'000;
    if (made) {
      EXPECT_GT(left, 4);
      break;
    }
    EXPECT_EQ(made.error().code, core::ErrorCode::resource_exhausted);
    EXPECT_EQ(names(), std::vector<std::string>{"article-xor"}) << left;
    open();
    EXPECT_EQ(names(), std::vector<std::string>{"article-xor"}) << left;
    EXPECT_TRUE(log_.empty());
  }
}

TEST_F(Datasets, DamagedOnesAreSetAsideWithTheReason) {
  ASSERT_TRUE(upload("whole", kFlowers).ok());
  ASSERT_TRUE(upload("cut", kFlowers).ok());
  ASSERT_TRUE(upload("edited", kFlowers).ok());
  fs::resize_file(folder_ / "datasets/cut/rows", 10);
  std::ofstream(folder_ / "datasets/edited/dataset.json", std::ios::app) << "x";
  fs::create_directories(folder_ / "datasets/empty");
  open();
  EXPECT_EQ(names(), (std::vector<std::string>{"whole", "article-xor"}));
  EXPECT_EQ(damaged_->list().size(), 3u);
  EXPECT_EQ(log_.size(), 3u);
  std::size_t reasons = 0;
  for (const auto& file : fs::directory_iterator(folder_ / "quarantine"))
    reasons += file.path().extension() == ".reason" ? 1 : 0;
  EXPECT_EQ(reasons, 3u);
}

TEST_F(Datasets, DamagedRowsAreFoundWhenTheyAreRead) {
  ASSERT_TRUE(upload("flowers", kFlowers).ok());
  std::fstream(folder_ / "datasets/flowers/rows", std::ios::in | std::ios::out).seekp(5).put('9');
  const core::Result<void> read =
      (*store_->rows("flowers"))->for_each(0, [](std::size_t, auto) { return true; });
  EXPECT_EQ(read.error().code, core::ErrorCode::corrupted);
  EXPECT_EQ(store_->read("flowers").error().code, core::ErrorCode::not_found);
  ASSERT_EQ(damaged_->list().size(), 1u);
  EXPECT_TRUE(damaged_->list()[0].starts_with("datasets/flowers: ")) << damaged_->list()[0];
  EXPECT_TRUE(fs::exists(folder_ / "quarantine/datasets.flowers/rows"));
  EXPECT_TRUE(upload("flowers", kFlowers).ok());
}

TEST_F(Datasets, BuiltInIsTheArticlesData) {
  core::NetworkSpec spec;
  spec.inputs = 2;
  spec.layers.resize(1);
  spec.layers[0].units = 2;
  spec.layers[0].activation = core::Activation::softmax;
  const auto data = *store_->rows("article-xor", spec, nullptr);
  EXPECT_EQ(data->inputs, core::article_xor().inputs);
  EXPECT_EQ(data->targets, core::article_xor().targets);
  EXPECT_EQ(data->class_labels, core::article_xor().class_labels);
}

TEST_F(Datasets, SamplesAreBuiltInAndDontHideWhatTheFolderHas) {
  ASSERT_TRUE(upload("sample-flowers", kFlowers).ok());
  ASSERT_TRUE(store_->add_sample({"sample-flowers", "a,b\n1,2\n"}).ok());
  ASSERT_TRUE(store_->add_sample({"sample-kinds", kFlowers}).ok());
  EXPECT_FALSE(store_->read("sample-flowers")->read_only);
  const api::DatasetView kinds = *store_->read("sample-kinds");
  EXPECT_TRUE(kinds.read_only);
  EXPECT_EQ(kinds.profile.rows, 4u);
  EXPECT_EQ(kinds.profile.target, "species");
  EXPECT_EQ(rows_of("sample-kinds"), rows_of("sample-flowers"));
  EXPECT_EQ(store_->remove("sample-kinds").error().code, core::ErrorCode::permission_denied);
  EXPECT_FALSE(store_->add_sample({"sample-bad", "a,b\n1\n"}).ok());
}

TEST_F(Datasets, GiveTrainingRowsEncodedWithoutTheTestPart) {
  std::string csv = "x,k,y\n";
  for (int r = 0; r < 50; ++r)
    csv += std::to_string(r) + (r % 2 == 0 ? ",u," : ",v,") + std::to_string(r * 3) + "\n";
  const api::DatasetView view = *upload("numbers", csv);
  core::Preprocess plan = core::plan_of(view.profile);
  plan.held_out.test = 0.2;
  core::NetworkSpec spec;
  spec.seed = 4;
  spec.inputs = 3;
  spec.layers.resize(1);
  spec.layers[0].units = 1;
  spec.layers[0].activation = core::Activation::linear;
  const auto fitted =
      std::make_shared<const core::Preprocess>(*core::fit(plan, **store_->rows("numbers"), spec.seed));
  const auto data = *store_->rows("numbers", spec, fitted);
  EXPECT_EQ(data->rows, 40u);
  EXPECT_EQ(data->input_count, 3u);
  spec.inputs = 2;
  EXPECT_EQ(store_->rows("numbers", spec, fitted).error().fields.at(0).pointer, "#/dataset");
  EXPECT_EQ(store_->rows("numbers", spec, nullptr).error().code, core::ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace mlpd::server
