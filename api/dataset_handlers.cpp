#include "api/dataset_handlers.h"

#include <algorithm>
#include <charconv>

#include "api/dataset_document.h"
#include "api/dataset_upload.h"
#include "api/encode_trace.h"
#include "api/negotiation.h"

namespace mlpd::api {
namespace {

constexpr std::size_t kPreviewRows = 5;

const std::string& name_of(const Call& call) { return call.parameter("dataset"); }

// As an object by column; numbers as numbers.
void write_row(JsonWriter& out, const DatasetView& dataset, std::span<const core::Cell> cells) {
  out.begin_object();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const core::ColumnProfile& column = dataset.profile.columns[i];
    out.key(column.name);
    const auto number = core::number_of(cells[i]);
    if (column.type == core::ColumnType::number && number)
      out.value(*number);
    else
      write_cell(out, cells[i]);
  }
  out.end_object();
}

// Calls write(cells) for `count` rows from `first` on.
template <class Write>
core::Result<void> for_page(const core::RowSource& rows, std::size_t first, std::size_t count,
                            Write&& write) {
  if (first >= rows.rows()) return {};
  return rows.for_each(first, [&](std::size_t row, std::span<const core::Cell> cells) {
    write(cells);
    return row + 1 < first + count;
  });
}

core::Result<void> write_rows(JsonWriter& out, const DatasetView& dataset, const core::RowSource& rows,
                              std::size_t first, std::size_t count) {
  out.begin_array();
  core::Result<void> read = for_page(rows, first, count, [&](auto cells) { write_row(out, dataset, cells); });
  out.end_array();
  return read;
}

Response dataset_response(const Call& call, const DatasetView& dataset, int status) {
  const auto rows = call.services.datasets->rows(dataset.name);
  if (!rows) return problem(rows.error(), call.request);
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  write_dataset_fields(out, dataset);
  out.key("preview");
  if (auto read = write_rows(out, dataset, **rows, 0, kPreviewRows); !read)
    return problem(read.error(), call.request);
  out.end_object();
  return json_response(std::move(body), status);
}

core::Result<std::string> rows_as_csv(const DatasetView& dataset, const core::RowSource& rows,
                                      std::size_t first, std::size_t count) {
  std::string body;
  const auto end_cell = [&](std::size_t i) { body += i + 1 < dataset.profile.columns.size() ? ',' : '\n'; };
  for (std::size_t i = 0; i < dataset.profile.columns.size(); ++i) {
    append_csv_cell(body, dataset.profile.columns[i].name);
    end_cell(i);
  }
  core::Result<void> read = for_page(rows, first, count, [&](auto cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      append_csv_cell(body, core::text_of(cells[i]));
      end_cell(i);
    }
  });
  if (!read) return read.error();
  return body;
}

core::Result<std::string> rows_as_ndjson(const DatasetView& dataset, const core::RowSource& rows,
                                         std::size_t first, std::size_t count) {
  std::string body;
  core::Result<void> read = for_page(rows, first, count, [&](auto cells) {
    JsonWriter out(body);
    write_row(out, dataset, cells);
    body += '\n';
  });
  if (!read) return read.error();
  return body;
}

// A network that was trained on the data set; empty where there is none.
std::string user_of(NetworkService& networks, const std::string& dataset) {
  PageQuery query;
  query.limit = 1'000;
  do {
    const Page<NetworkView> page = networks.list(query);
    for (const NetworkView& network : page.items)
      if (std::find(network.datasets.begin(), network.datasets.end(), dataset) != network.datasets.end())
        return network.name;
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  return {};
}

}  // namespace

Response create_dataset(const Call& call) {
  Uploaded uploaded = upload_dataset(call);
  if (!uploaded.dataset) return std::move(uploaded.refused);
  Response response = dataset_response(call, *uploaded.dataset, 201);
  response.set_header("Location", "/v1/datasets/" + uploaded.dataset->name);
  return response;
}

Response list_datasets(const Call& call) {
  const auto query = page_query(call.request, CursorForm::text);
  if (!query) return problem(query.error(), call.request);
  const DatasetPage page = call.services.datasets->list(query->limit, query->cursor);
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("datasets").begin_array();
  for (const DatasetView& dataset : page.items) {
    out.begin_object();
    write_dataset_fields(out, dataset);
    out.end_object();
  }
  out.end_array();
  if (!page.next_cursor.empty()) out.field("next_cursor", page.next_cursor);
  out.end_object();
  return json_response(std::move(body));
}

Response read_dataset(const Call& call) {
  const auto dataset = call.services.datasets->read(name_of(call));
  if (!dataset) return problem(dataset.error(), call.request);
  return dataset_response(call, *dataset, 200);
}

Response read_dataset_rows(const Call& call) {
  static constexpr Media kOffered[] = {Media::json, Media::csv, Media::ndjson};
  const auto media = choose_media(call.request, kOffered);
  if (!media) return problem(406, media.error().message, call.request);
  const auto query = page_query(call.request, CursorForm::number);
  if (!query) return problem(query.error(), call.request);
  std::size_t first = 0;
  const std::string& cursor = query->cursor;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), first);
  if (!cursor.empty() && (error != std::errc() || end != cursor.data() + cursor.size()))
    return problem({core::ErrorCode::invalid_argument,
                    "The cursor is none that this list gave.",
                    {{"?cursor", "must be next_cursor of the page before, or a row's index"}}},
                   call.request);
  const auto dataset = call.services.datasets->read(name_of(call));
  if (!dataset) return problem(dataset.error(), call.request);
  const auto rows = call.services.datasets->rows(name_of(call));
  if (!rows) return problem(rows.error(), call.request);
  if (*media != Media::json) {
    auto text = *media == Media::csv ? rows_as_csv(*dataset, **rows, first, query->limit)
                                     : rows_as_ndjson(*dataset, **rows, first, query->limit);
    if (!text) return problem(text.error(), call.request);
    return media_response(*media, std::move(*text));
  }
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("rows");
  if (auto read = write_rows(out, *dataset, **rows, first, query->limit); !read)
    return problem(read.error(), call.request);
  if (first + query->limit < (*rows)->rows()) out.field("next_cursor", std::to_string(first + query->limit));
  out.end_object();
  return json_response(std::move(body));
}

Response delete_dataset(const Call& call) {
  const auto force = query_flag(call.request, "force");
  if (!force) return problem(force.error(), call.request);
  if (!*force)
    if (const std::string user = user_of(call.services.networks, name_of(call)); !user.empty())
      return problem({core::ErrorCode::conflict,
                      "the network " + user + " was trained on this data set; ?force=true deletes it anyway"},
                     call.request);
  const auto removed = call.services.datasets->remove(name_of(call));
  if (!removed) return problem(removed.error(), call.request);
  Response response;
  response.status = 204;
  return response;
}

}  // namespace mlpd::api
