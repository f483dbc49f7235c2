#include "api/dataset_upload.h"

#include <algorithm>

#include "api/decode_network.h"
#include "api/decode_train.h"
#include "api/json_reader.h"
#include "api/negotiation.h"
#include "core/generator.h"

namespace mlpd::api {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;

enum class Form { csv, ndjson, json, unknown };

Uploaded refuse(const core::Error& error, const Call& call) {
  return {std::nullopt, problem(error, call.request)};
}

Uploaded refuse(int status, std::string_view detail, const Call& call) {
  return {std::nullopt, problem(status, detail, call.request)};
}

// The body in pieces, whether it streams or is there.
class Body {
 public:
  explicit Body(const Request& request) : request_(request) {}

  core::Result<std::string_view> next() {
    if (request_.body_stream == nullptr) {
      const std::string_view all = used_ ? std::string_view() : std::string_view(request_.body);
      used_ = true;
      return all;
    }
    piece_.resize(kPieceBytes);
    core::Result<std::size_t> read = request_.body_stream->read(piece_.data(), piece_.size());
    if (!read) return read.error();
    return std::string_view(piece_).substr(0, *read);
  }

 private:
  const Request& request_;
  bool used_ = false;
  std::string piece_;
};

Uploaded refuse_body(const core::Error& error, const Call& call) {
  if (error.code == core::ErrorCode::resource_exhausted) return refuse(413, error.message, call);
  if (error.code == core::ErrorCode::invalid_argument) return refuse(400, error.message, call);
  return refuse(408, error.message, call);
}

// The form of the body; `start` decides where the type is curl's default or none.
Form form_of(const Request& request, std::string_view start) {
  std::string type(request.header("Content-Type").value_or(""));
  type = type.substr(0, type.find(';'));
  type.erase(std::remove(type.begin(), type.end(), ' '), type.end());
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (type == "text/csv" || type == "text/plain" || type == "text/tab-separated-values") return Form::csv;
  if (type == "application/x-ndjson" || type == "application/ndjson" || type == "application/jsonl")
    return Form::ndjson;
  if (type == "application/json") return Form::json;
  if (!type.empty() && type != "application/x-www-form-urlencoded") return Form::unknown;
  const auto first = start.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  const bool json = first != std::string_view::npos && (start[first] == '{' || start[first] == '[');
  return json ? Form::json : Form::csv;
}

void add_type(CreateDataset& create, ObjectReader& body, const std::string& at, const std::string& column,
              std::string_view type) {
  if (const auto known = body.choose(at, type, core::column_types()))
    if (!create.types.emplace(column, *known).second) body.faults().add(at, "names a column twice");
}

// ?types=age:number,sex:category; a name may hold ':' but no ','.
void read_types(std::string_view text, CreateDataset& create, ObjectReader& body) {
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const auto colon = item.rfind(':');
    if (colon == std::string_view::npos || colon == 0)
      body.faults().add("?types", "must be column:type,column:type…");
    else
      add_type(create, body, "?types", std::string(item.substr(0, colon)), item.substr(colon + 1));
  }
}

void check_name(CreateDataset& create, const Call& call, const std::string& at, Faults& faults) {
  if (create.name.empty())
    create.name = call.services.system.new_id();
  else if (!is_valid_name(create.name))
    faults.add(at, name_rule());
}

struct Query {
  CreateDataset create;
  CsvOptions csv;
};

core::Result<Query> read_query(const Call& call) {
  Query query;
  Faults faults;
  const Json none{JsonObject{}};
  ObjectReader body(none, "#", faults);
  query.create.name = call.request.query_value("name").value_or("");
  query.create.target = call.request.query_value("target").value_or("");
  read_types(call.request.query_value("types").value_or(""), query.create, body);
  if (!query.create.name.empty() && !is_valid_name(query.create.name)) faults.add("?name", name_rule());
  const std::string delimiter(call.request.query_value("delimiter").value_or(""));
  static constexpr std::pair<std::string_view, char> kDelimiters[] = {
      {",", ','},    {"comma", ','}, {";", ';'}, {"semicolon", ';'}, {"\t", '\t'},
      {"tab", '\t'}, {"\\t", '\t'},  {"|", '|'}, {"bar", '|'}};
  for (const auto& [name, character] : kDelimiters)
    if (name == delimiter) query.csv.delimiter = character;
  if (!delimiter.empty() && query.csv.delimiter == 0)
    faults.add("?delimiter", "must be comma, semicolon, tab or bar, or the character itself");
  if (call.request.query_value("header")) {
    const auto header = query_flag(call.request, "header");
    if (header)
      query.csv.header = *header;
    else
      faults.merge(header.error());
  }
  if (!faults.empty()) return faults.error();
  return query;
}

Uploaded commit(DatasetUpload& upload, const Call& call) {
  core::Result<DatasetView> made = upload.commit();
  if (!made) return refuse(made.error(), call);
  return {std::move(made).value(), {}};
}

Uploaded upload_stream(Query query, Form form, Body& body, std::string_view start, const Call& call) {
  Faults faults;
  check_name(query.create, call, "?name", faults);
  query.create.source = form == Form::csv ? "csv" : "ndjson";
  auto upload = call.services.datasets->begin(query.create);
  if (!upload) return refuse(upload.error(), call);
  const auto parser = form == Form::csv ? make_csv_parser(query.csv, **upload) : make_ndjson_parser(**upload);
  while (!start.empty()) {
    if (core::Result<void> fed = parser->feed(start); !fed) return refuse(fed.error(), call);
    core::Result<std::string_view> piece = body.next();
    if (!piece) return refuse_body(piece.error(), call);
    start = *piece;
  }
  if (core::Result<void> finished = parser->finish(); !finished) return refuse(finished.error(), call);
  return commit(**upload, call);
}

Uploaded upload_rows(const CreateDataset& create, std::string_view rows,
                     const std::vector<std::string>& columns, const Call& call) {
  auto upload = call.services.datasets->begin(create);
  if (!upload) return refuse(upload.error(), call);
  if (core::Result<void> parsed = parse_json_rows(rows, columns, **upload); !parsed)
    return refuse(parsed.error(), call);
  return commit(**upload, call);
}

// Points as rows x1, x2, …, then the class or the value.
Uploaded upload_generated(CreateDataset create, const core::GeneratorOptions& options, const Call& call) {
  core::Result<core::Dataset> data = core::generate(options);
  if (!data) return refuse(data.error(), call);
  const bool classes = !data->class_labels.empty();
  create.source = core::name_of(core::generators(), options.kind);
  create.target = classes ? "class" : "y";
  create.types = {{create.target, classes ? core::ColumnType::label : core::ColumnType::number}};
  auto upload = call.services.datasets->begin(create);
  if (!upload) return refuse(upload.error(), call);
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < data->input_count; ++i) columns.push_back("x" + std::to_string(i + 1));
  columns.push_back(create.target);
  core::Result<void> taken = (*upload)->columns(columns);
  std::vector<core::Cell> cells(columns.size());
  for (std::size_t row = 0; row < data->rows && taken; ++row) {
    for (std::size_t i = 0; i < data->input_count; ++i) cells[i] = data->inputs[row * data->input_count + i];
    const double* target = data->targets.data() + row * data->output_count;
    const auto label = std::max_element(target, target + data->output_count) - target;
    if (classes)
      cells.back() = data->class_labels[static_cast<std::size_t>(label)];
    else
      cells.back() = *target;
    taken = (*upload)->row(row + 1, cells);
  }
  if (!taken) return refuse(taken.error(), call);
  return commit(**upload, call);
}

Uploaded upload_object(Query query, std::string_view text, const Call& call) {
  const SplitRows split = split_rows(text);
  JsonLimits limits;
  limits.depth = call.services.system.limits().json_depth_max;
  const core::Result<Json> json = parse_json(split.rest, limits);
  if (!json) return refuse(400, json.error().message, call);
  Faults faults;
  ObjectReader body(*json, "#", faults);
  CreateDataset& create = query.create;
  if (const auto name = body.string("name")) create.name = *name;
  check_name(create, call, "#/name", faults);
  std::optional<core::GeneratorOptions> generator;
  std::vector<std::string> columns;
  if (body.find("generator") != nullptr) {
    generator = decode_generator(body);
  } else {
    if (const auto target = body.string("target")) create.target = *target;
    if (const auto given = body.strings("columns")) columns = *given;
    if (const Json* types = body.find("types")) {
      ObjectReader each(*types, "#/types", faults);
      for (const auto& [column, type] : each.is_object() ? *types->as<JsonObject>() : JsonObject{})
        if (const auto text_type = each.string(column))
          add_type(create, each, each.pointer(column), column, *text_type);
    }
    body.require("rows");
    if (body.find("rows") != nullptr && split.rows.empty()) body.fault("rows", "must be an array of rows");
  }
  body.finish();
  if (!faults.empty()) return refuse(faults.error(), call);
  if (generator) return upload_generated(std::move(create), *generator, call);
  return upload_rows(create, split.rows, columns, call);
}

Uploaded upload_json(Query query, Body& body, std::string_view start, const Call& call) {
  const std::size_t bytes_max = call.services.system.limits().body_bytes_max;
  std::string text;
  while (!start.empty()) {
    text += start;
    if (text.size() > bytes_max)
      return refuse(413,
                    "a JSON body is limited to " + std::to_string(bytes_max) +
                        " bytes; send more rows as CSV or NDJSON",
                    call);
    core::Result<std::string_view> piece = body.next();
    if (!piece) return refuse_body(piece.error(), call);
    start = *piece;
  }
  query.create.source = "json";
  query.create.unit = core::RowUnit::row;
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || text[first] != '[') return upload_object(std::move(query), text, call);
  Faults faults;
  check_name(query.create, call, "?name", faults);
  return upload_rows(query.create, text, {}, call);
}

}  // namespace

Uploaded upload_dataset(const Call& call) {
  core::Result<Query> query = read_query(call);
  if (!query) return refuse(query.error(), call);
  Body body(call.request);
  core::Result<std::string_view> start = body.next();
  if (!start) return refuse_body(start.error(), call);
  switch (form_of(call.request, *start)) {
    case Form::csv:
      return upload_stream(std::move(*query), Form::csv, body, *start, call);
    case Form::ndjson:
      return upload_stream(std::move(*query), Form::ndjson, body, *start, call);
    case Form::json:
      return upload_json(std::move(*query), body, *start, call);
    case Form::unknown:
      break;
  }
  return refuse(415, "the body must be text/csv, application/x-ndjson or application/json", call);
}

}  // namespace mlpd::api
