#include "server/store/dataset_store.h"

#include <algorithm>
#include <limits>

#include "api/dataset_document.h"
#include "api/model_document.h"
#include "api/table_parser.h"
#include "core/generator.h"
#include "core/table_profile.h"

namespace mlpd::server {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kArticleXor = "article-xor";

core::Error no_dataset(const std::string& name) {
  return {
      core::ErrorCode::not_found, "there is no data set named " + name + "; GET /v1/datasets lists all", {}};
}

core::Error taken(const std::string& name) {
  return {core::ErrorCode::already_exists,
          "a data set named " + name + " exists; delete it or choose another name",
          {}};
}

// A table together with its source.
class OwnedTable final : public core::RowSource {
 public:
  explicit OwnedTable(core::Table table) : table_(std::move(table)), source_(table_) {}
  const std::vector<std::string>& columns() const override { return table_.columns; }
  std::size_t rows() const override { return table_.rows.size(); }
  core::Result<void> for_each(std::size_t first, const Visit& visit) const override {
    return source_.for_each(first, visit);
  }

 private:
  core::Table table_;
  core::TableSource source_;
};

// CSV text as a source; parsed for each pass.
class CsvText final : public core::RowSource {
 public:
  static core::Result<std::shared_ptr<const core::RowSource>> open(std::string_view text) {
    core::Result<core::Table> table = parse(text);
    if (!table) return table.error();
    return std::shared_ptr<const core::RowSource>(
        new CsvText(text, std::move(table->columns), table->rows.size()));
  }
  const std::vector<std::string>& columns() const override { return columns_; }
  std::size_t rows() const override { return rows_; }
  core::Result<void> for_each(std::size_t first, const Visit& visit) const override {
    const core::Result<core::Table> table = parse(text_);
    if (!table) return table.error();
    return core::TableSource(*table).for_each(first, visit);
  }

 private:
  CsvText(std::string_view text, std::vector<std::string> columns, std::size_t rows)
      : text_(text), columns_(std::move(columns)), rows_(rows) {}
  static core::Result<core::Table> parse(std::string_view text) {
    return api::read_csv_table(text, {}, std::numeric_limits<std::size_t>::max());
  }

  std::string_view text_;
  std::vector<std::string> columns_;
  std::size_t rows_;
};

core::Table article_table() {
  const core::Dataset& data = core::article_xor();
  core::Table table{{"x1", "x2", "class"}, {}};
  for (std::size_t r = 0; r < data.rows; ++r)
    table.rows.push_back({data.inputs[2 * r], data.inputs[2 * r + 1], data.targets[2 * r + 1]});
  return table;
}

std::string write_document(const api::DatasetView& view, const RowBlocks& blocks) {
  std::string text;
  api::JsonWriter out(text);
  out.begin_object();
  api::write_dataset_fields(out, view);
  out.key("blocks").begin_array();
  for (const RowBlock& block : blocks.blocks) {
    out.begin_array().value(block.first_row).value(block.offset).value(block.bytes).end_array();
  }
  out.end_array().key("digests").begin_array();
  for (const RowBlock& block : blocks.blocks) out.value(block.digest.hex());
  out.end_array().end_object();
  return api::seal_document(text);
}

core::Result<core::Digest> digest_from(const std::string& hex) {
  core::Digest digest;
  const auto value = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
  if (hex.size() != 2 * digest.bytes.size() || hex.find_first_not_of("0123456789abcdef") != std::string::npos)
    return core::Error{core::ErrorCode::corrupted, "a checksum of the rows is malformed", {}};
  for (std::size_t i = 0; i < digest.bytes.size(); ++i)
    digest.bytes[i] = static_cast<std::uint8_t>(value(hex[2 * i]) * 16 + value(hex[2 * i + 1]));
  return digest;
}

core::Result<std::shared_ptr<const RowBlocks>> read_blocks(api::ObjectReader& body,
                                                           const api::DatasetView& view) {
  const core::Error malformed{core::ErrorCode::corrupted, "the list of row blocks is malformed", {}};
  const api::Json* list = body.find("blocks");
  const api::JsonRows* places = list != nullptr ? list->as<api::JsonRows>() : nullptr;
  const auto digests = body.strings("digests");
  if (places == nullptr || !digests || digests->size() != places->rows()) return malformed;
  auto blocks = std::make_shared<RowBlocks>();
  blocks->rows = view.profile.rows;
  for (std::size_t i = 0; i < places->rows(); ++i) {
    if (places->length_of(i) != 3) return malformed;
    const double* place = places->values.data() + places->begin_of(i);
    core::Result<core::Digest> digest = digest_from((*digests)[i]);
    if (!digest) return digest.error();
    blocks->blocks.push_back({static_cast<std::uint64_t>(place[0]), static_cast<std::uint64_t>(place[1]),
                              static_cast<std::uint64_t>(place[2]), *digest});
    blocks->bytes += blocks->blocks.back().bytes;
  }
  return std::shared_ptr<const RowBlocks>(std::move(blocks));
}

std::vector<std::string> column_names(const core::TableProfile& profile) {
  std::vector<std::string> names;
  for (const core::ColumnProfile& column : profile.columns) names.push_back(column.name);
  return names;
}

}  // namespace

// A data set whose rows turn out to be damaged is set aside at once.
class DatasetStore::Rows final : public core::RowSource {
 public:
  Rows(DatasetStore& store, std::string name, RowFileSource source)
      : store_(store), name_(std::move(name)), source_(std::move(source)) {}
  const std::vector<std::string>& columns() const override { return source_.columns(); }
  std::size_t rows() const override { return source_.rows(); }
  core::Result<void> for_each(std::size_t first, const Visit& visit) const override {
    core::Result<void> done = source_.for_each(first, visit);
    if (!done && done.error().code == core::ErrorCode::corrupted)
      store_.rows_are_damaged(name_, *this, done.error().message);
    return done;
  }

 private:
  DatasetStore& store_;
  const std::string name_;
  const RowFileSource source_;
};

class DatasetStore::Upload final : public api::DatasetUpload {
 public:
  Upload(DatasetStore& store, const api::CreateDataset& request)
      : store_(store), request_(request), folder_(store.fresh()) {}
  ~Upload() override { (void)store_.files_->remove_all(folder_); }
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  core::Result<void> columns(const std::vector<std::string>& names) override {
    if (core::Result<void> made = store_.files_->make_folder(folder_); !made) return made;
    profiler_.emplace(names, request_.unit);
    writer_.emplace(*store_.files_, folder_ / "rows");
    return {};
  }

  core::Result<void> row(std::uint64_t place, std::span<const core::Cell> cells) override {
    profiler_->add(place, cells);
    return writer_->add(cells);
  }

  core::Result<api::DatasetView> commit() override {
    if (!profiler_) return core::Error{core::ErrorCode::invalid_argument, "There are no rows.", {}};
    core::Result<core::TableProfile> profile = profiler_->finish(request_.target, request_.types);
    if (!profile) return profile.error();
    core::Result<RowBlocks> blocks = writer_->finish();
    if (!blocks) return blocks.error();
    Entry entry;
    entry.view.name = request_.name;
    entry.view.source = request_.source;
    entry.view.profile = std::move(profile).value();
    entry.view.bytes = blocks->bytes;
    entry.view.sha256 = blocks->digest().hex();
    entry.view.created_at = store_.clock_();
    FileSystem& files = *store_.files_;
    const fs::path document = folder_ / "dataset.json";
    core::Result<void> put = files.write(document, 0, write_document(entry.view, *blocks));
    if (put) put = files.sync(document);
    if (put) put = files.sync_folder(folder_);
    if (!put) return put.error();
    entry.rows = store_.rows_of(entry.view, std::make_shared<const RowBlocks>(std::move(blocks).value()));
    return store_.publish(folder_, std::move(entry));
  }

 private:
  DatasetStore& store_;
  api::CreateDataset request_;
  fs::path folder_;
  std::optional<core::TableProfiler> profiler_;
  std::optional<RowFileWriter> writer_;
};

DatasetStore::DatasetStore(fs::path folder, std::shared_ptr<FileSystem> files, Clock clock,
                           Quarantine& damaged)
    : folder_(std::move(folder)), files_(std::move(files)), clock_(std::move(clock)), damaged_(damaged) {}

core::Result<std::unique_ptr<DatasetStore>> DatasetStore::open(const fs::path& folder,
                                                               std::shared_ptr<FileSystem> files, Clock clock,
                                                               Quarantine& damaged) {
  std::unique_ptr<DatasetStore> store(new DatasetStore(folder, std::move(files), std::move(clock), damaged));
  if (core::Result<void> made = make_folder_durably(*store->files_, folder / "datasets"); !made)
    return made.error();
  core::Result<std::vector<FileSystem::Item>> items = store->files_->list(folder / "datasets");
  if (!items) return items.error();
  for (const FileSystem::Item& item : *items) {
    core::Result<Entry> entry = store->load(item.name);
    if (entry)
      store->entries_.emplace(item.name, std::move(entry).value());
    else
      damaged.set_aside(folder / "datasets" / item.name, entry.error().message);
  }
  auto article =
      built_in(std::string(kArticleXor), "class", std::make_shared<const OwnedTable>(article_table()));
  if (!article) return article.error();
  store->entries_.insert_or_assign(std::string(kArticleXor), std::move(article).value());
  return store;
}

core::Result<DatasetStore::Entry> DatasetStore::built_in(std::string name, const std::string& target,
                                                         std::shared_ptr<const core::RowSource> rows) {
  core::TableProfiler profiler(rows->columns(), core::RowUnit::row);
  core::Result<void> read = rows->for_each(0, [&](std::size_t row, std::span<const core::Cell> cells) {
    profiler.add(row + 1, cells);
    return true;
  });
  if (!read) return read.error();
  core::Result<core::TableProfile> profile = profiler.finish(target, {});
  if (!profile) return profile.error();
  Entry entry;
  entry.view.name = std::move(name);
  entry.view.read_only = true;
  entry.view.source = "built in";
  entry.view.profile = std::move(profile).value();
  entry.rows = std::move(rows);
  return entry;
}

core::Result<void> DatasetStore::add_sample(const SampleTable& sample) {
  core::Result<std::shared_ptr<const core::RowSource>> rows = CsvText::open(sample.csv);
  if (!rows) return rows.error();
  core::Result<Entry> entry = built_in(sample.name, (*rows)->columns().back(), *rows);
  if (!entry) return entry.error();
  const std::lock_guard lock(mutex_);
  entries_.emplace(sample.name, std::move(entry).value());
  return {};
}

std::shared_ptr<const core::RowSource> DatasetStore::rows_of(const api::DatasetView& view,
                                                             std::shared_ptr<const RowBlocks> blocks) {
  return std::make_shared<Rows>(*this, view.name,
                                RowFileSource(files_, folder_ / "datasets" / view.name / "rows",
                                              column_names(view.profile), std::move(blocks)));
}

void DatasetStore::rows_are_damaged(const std::string& name, const Rows& rows, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.rows.get() != &rows) return;  // it was removed meanwhile
  damaged_.set_aside(folder_ / "datasets" / name, reason);
  entries_.erase(found);
}

core::Result<DatasetStore::Entry> DatasetStore::load(const std::string& name) {
  const fs::path folder = folder_ / "datasets" / name;
  core::Result<std::string> text = files_->read(folder / "dataset.json");
  if (!text) return text.error();
  if (core::Result<void> sealed = api::check_seal(*text); !sealed) return sealed.error();
  core::Result<api::Json> json = api::parse_json(*text);
  if (!json) return json.error();
  api::Faults faults;
  api::ObjectReader body(*json, "#", faults);
  Entry entry;
  entry.view = api::read_dataset_fields(body);
  if (!faults.empty()) return faults.error();
  core::Result<std::shared_ptr<const RowBlocks>> blocks = read_blocks(body, entry.view);
  if (!blocks) return blocks.error();
  core::Result<std::vector<FileSystem::Item>> items = files_->list(folder);
  if (!items) return items.error();
  const auto rows =
      std::find_if(items->begin(), items->end(), [](const auto& item) { return item.name == "rows"; });
  if (rows == items->end() || rows->bytes != (*blocks)->bytes || entry.view.name != name)
    return core::Error{core::ErrorCode::corrupted, "its rows are cut or missing", {}};
  entry.rows = rows_of(entry.view, *blocks);
  return entry;
}

fs::path DatasetStore::fresh() {
  return folder_ / "temporary" / ("dataset-" + std::to_string(serial_.fetch_add(1)));
}

core::Result<DatasetStore::Entry> DatasetStore::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return no_dataset(name);
  return found->second;
}

core::Result<std::unique_ptr<api::DatasetUpload>> DatasetStore::begin(const api::CreateDataset& request) {
  const std::lock_guard lock(mutex_);
  if (entries_.contains(request.name)) return taken(request.name);
  if (entries_.size() >= kDatasetsMax)
    return core::Error{core::ErrorCode::resource_exhausted,
                       "there are " + std::to_string(kDatasetsMax) + " data sets already; delete one",
                       {}};
  return std::unique_ptr<api::DatasetUpload>(std::make_unique<Upload>(*this, request));
}

core::Result<api::DatasetView> DatasetStore::publish(const fs::path& filled, Entry entry) {
  const std::lock_guard lock(mutex_);
  const std::string name = entry.view.name;
  if (entries_.contains(name)) return taken(name);
  if (entries_.size() >= kDatasetsMax)
    return core::Error{core::ErrorCode::resource_exhausted, "there are too many data sets; delete one", {}};
  const fs::path folder = folder_ / "datasets";
  if (core::Result<void> moved = files_->rename(filled, folder / name); !moved) return moved.error();
  if (core::Result<void> synced = files_->sync_folder(folder); !synced) {
    (void)files_->remove_all(folder / name);
    return synced.error();
  }
  return entries_.emplace(name, std::move(entry)).first->second.view;
}

api::DatasetPage DatasetStore::list(std::size_t limit, const std::string& cursor) {
  std::vector<api::DatasetView> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, entry] : entries_) all.push_back(entry.view);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.created_at != b.created_at ? a.created_at > b.created_at : a.name < b.name;
  });
  auto first = all.begin();
  if (!cursor.empty()) {
    first = std::find_if(all.begin(), all.end(), [&](const auto& view) { return view.name == cursor; });
    if (first != all.end()) ++first;
  }
  api::DatasetPage page;
  for (; first != all.end() && page.items.size() < limit; ++first) page.items.push_back(std::move(*first));
  if (first != all.end() && !page.items.empty()) page.next_cursor = page.items.back().name;
  return page;
}

core::Result<api::DatasetView> DatasetStore::read(const std::string& name) {
  core::Result<Entry> entry = find(name);
  if (!entry) return entry.error();
  return std::move(entry->view);
}

core::Result<std::shared_ptr<const core::RowSource>> DatasetStore::rows(const std::string& name) {
  core::Result<Entry> entry = find(name);
  if (!entry) return entry.error();
  return std::move(entry->rows);
}

core::Result<void> DatasetStore::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return no_dataset(name);
  if (found->second.view.read_only)
    return core::Error{core::ErrorCode::permission_denied, "the data set " + name + " is built in", {}};
  const fs::path gone = fresh();
  core::Result<void> moved = files_->make_folder(gone.parent_path());
  if (moved) moved = files_->rename(folder_ / "datasets" / name, gone);
  if (!moved) return moved;
  entries_.erase(found);
  core::Result<void> synced = files_->sync_folder(folder_ / "datasets");
  (void)files_->remove_all(gone);
  return synced;
}

core::Result<std::shared_ptr<const core::Dataset>> DatasetStore::rows(
    const std::string& name, const core::NetworkSpec& spec,
    const std::shared_ptr<const core::Preprocess>& preprocess) {
  core::Result<Entry> entry = find(name);
  if (!entry) return entry.error();
  core::Result<core::Dataset> data =
      core::encode_part(entry->view.profile, *entry->rows, preprocess.get(), core::Part::trainable,
                        spec.inputs, core::output_count(spec), spec.seed);
  if (!data) return data.error();
  return std::make_shared<const core::Dataset>(std::move(data).value());
}

}  // namespace mlpd::server
