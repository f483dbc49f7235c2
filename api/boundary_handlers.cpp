#include "api/boundary_handlers.h"

#include <algorithm>
#include <charconv>

#include "api/boundary_picture.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "core/boundary.h"
#include "core/metrics.h"

namespace mlpd::api {
namespace {

using DataPointer = std::shared_ptr<const core::Dataset>;

/// A column of the input matrix: its name, and its own units as scale·x + offset.
struct InputColumn {
  std::string name;
  double offset = 0;
  double scale = 1;
};

std::vector<InputColumn> input_columns(const core::NetworkSpec& spec, const core::Preprocess* preprocess) {
  std::vector<InputColumn> columns(spec.inputs);
  const std::vector<std::string> names = preprocess ? preprocess->input_names() : spec.input_names;
  for (std::size_t i = 0; i < columns.size(); ++i)
    columns[i].name = i < names.size() ? names[i] : "x" + std::to_string(i);
  if (!preprocess) return columns;
  std::size_t at = 0;
  for (const core::Column& column : preprocess->columns) {
    if (column.type == core::ColumnType::number && at < columns.size()) {
      columns[at].offset = column.offset;
      columns[at].scale = column.scale;
    }
    at += column.input_count();
  }
  return columns;
}

/// ?x= or ?y=: a name, else an index.
std::size_t choose_column(const Request& request, std::string_view parameter, std::size_t fallback,
                          const std::vector<InputColumn>& columns, Faults& faults) {
  const auto text = request.query_value(parameter);
  if (!text) return fallback;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == *text) return i;
    names.push_back(columns[i].name);
  }
  std::size_t index = 0;
  const auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), index);
  if (error == std::errc{} && stop == text->data() + text->size()) return index;
  const auto near = nearest_name(*text, names);
  faults.add(
      "?" + std::string(parameter),
      "is no input of this network" + (near.empty() ? "; give its name or its index from 0"
                                                    : "; did you mean \"" + std::string(near) + "\"?"));
  return fallback;
}

/// All that the query says, with the data where the network has been trained.
struct Asked {
  std::shared_ptr<const core::Snapshot> snapshot;
  DataPointer data;
  std::vector<InputColumn> columns;
  core::BoundaryPlane plane;
  bool points = false;
};

core::Result<Asked> read_query(const Call& call) {
  const std::string& name = call.parameter("network");
  const auto step = query_integer(call.request, "step");
  if (!step) return step.error();
  const auto resolution = query_integer(call.request, "resolution");
  if (!resolution) return resolution.error();
  const auto output = query_integer(call.request, "output");
  if (!output) return output.error();
  const auto points = query_flag(call.request, "points");
  if (!points) return points.error();
  const auto snapshot = call.services.networks.snapshot(name, *step);
  if (!snapshot) return snapshot.error();
  Asked asked;
  asked.snapshot = *snapshot;
  asked.points = *points;
  const core::NetworkSpec& spec = asked.snapshot->spec();
  const auto data = call.services.networks.data(name, std::nullopt);
  if (data && (*data)->input_count == spec.inputs) asked.data = *data;
  if (asked.points && !asked.data) return data.error();
  asked.columns = input_columns(spec, asked.snapshot->preprocess().get());
  Faults faults;
  const std::size_t x = choose_column(call.request, "x", 0, asked.columns, faults);
  const std::size_t y = choose_column(call.request, "y", x == 1 ? 0 : 1, asked.columns, faults);
  if (!faults.empty()) return faults.error();
  asked.plane = core::make_plane(spec, asked.data.get(), x, y);
  asked.plane.resolution = static_cast<std::size_t>(resolution->value_or(kBoundaryResolutionDefault));
  asked.plane.output = static_cast<std::size_t>(output->value_or(0));
  asked.plane.classifies = core::is_classifier(spec) || (asked.data && core::is_one_hot(*asked.data));
  return asked;
}

PictureAxis picture_axis(const core::BoundaryAxis& axis, const InputColumn& column) {
  return {column.name, axis.from * column.scale + column.offset, axis.to * column.scale + column.offset};
}

PicturePoints picture_points(const Asked& asked) {
  PicturePoints points;
  if (!asked.points) return points;
  const core::Dataset& data = *asked.data;
  const std::size_t count = std::min(data.rows, kBoundaryPointsMax);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = i * data.rows / count;
    const double* inputs = data.inputs.data() + row * data.input_count;
    const double* targets = data.targets.data() + row * data.output_count;
    const core::BoundaryPlane& plane = asked.plane;
    const InputColumn& x = asked.columns[plane.x.input];
    const InputColumn& y = asked.columns[plane.y.input];
    points.x.push_back(inputs[plane.x.input] * x.scale + x.offset);
    points.y.push_back(inputs[plane.y.input] * y.scale + y.offset);
    if (!plane.classifies)
      points.values.push_back(targets[plane.output]);
    else if (data.output_count == 1)
      points.classes.push_back(targets[0] >= 0.5 ? 1 : 0);
    else
      points.classes.push_back(
          static_cast<std::size_t>(std::max_element(targets, targets + data.output_count) - targets));
  }
  return points;
}

BoundaryPicture make_picture(const Asked& asked, const core::Boundary& boundary, const std::string& network) {
  const core::NetworkSpec& spec = asked.snapshot->spec();
  const core::BoundaryPlane& plane = asked.plane;
  const std::size_t outputs = core::output_count(spec);
  const std::size_t classes = !plane.classifies ? 0 : outputs == 1 ? 2 : outputs;
  std::vector<std::string> names = spec.class_labels;
  const auto preprocess = asked.snapshot->preprocess();
  if (names.empty() && preprocess) names = preprocess->target.categories;
  if (names.empty() && asked.data) names = asked.data->class_labels;
  if (names.size() != classes) names.clear();
  return {boundary,
          plane.resolution,
          classes,
          picture_axis(plane.x, asked.columns[plane.x.input]),
          picture_axis(plane.y, asked.columns[plane.y.input]),
          picture_points(asked),
          std::move(names),
          network + ", step " + std::to_string(asked.snapshot->step())};
}

std::vector<float> narrowed(const std::vector<double>& values) { return {values.begin(), values.end()}; }

void write_axis(JsonWriter& out, std::string_view key, std::size_t input, const PictureAxis& axis) {
  out.key(key).begin_object().field("index", input).field("name", axis.name);
  out.field("from", axis.from).field("to", axis.to).end_object();
}

std::string as_json(const Asked& asked, const BoundaryPicture& picture, const std::string& network) {
  std::string body;
  JsonWriter out(body);
  const std::size_t n = picture.resolution;
  out.begin_object().field("network", network).field("step", asked.snapshot->step());
  out.field("kind", picture.class_count == 0 ? "values" : "classes").field("resolution", n);
  write_axis(out, "x", asked.plane.x.input, picture.x);
  write_axis(out, "y", asked.plane.y.input, picture.y);
  out.field("minimum", static_cast<float>(picture.boundary.minimum));
  out.field("maximum", static_cast<float>(picture.boundary.maximum));
  out.key("values").rows(narrowed(picture.boundary.values).data(), n, n);
  if (picture.class_count != 0) {
    out.key("classes").rows(picture.boundary.classes.data(), n, n).field("class_count", picture.class_count);
    if (!picture.class_names.empty()) out.key("class_labels").values(picture.class_names);
  }
  if (asked.points) {
    out.key("points").begin_object();
    out.key("x").values(picture.points.x).key("y").values(picture.points.y);
    if (picture.class_count != 0)
      out.key("classes").values(picture.points.classes);
    else
      out.key("values").values(picture.points.values);
    out.end_object();
  }
  out.end_object();
  return body;
}

}  // namespace

Response read_boundary(const Call& call) {
  static constexpr Media kOffered[] = {Media::json, Media::png, Media::svg};
  const auto media = choose_media(call.request, kOffered);
  if (!media) return problem(406, media.error().message, call.request);
  const auto asked = read_query(call);
  if (!asked) return problem(asked.error(), call.request);
  const auto boundary = core::make_boundary(*asked->snapshot, asked->plane);
  if (!boundary) return problem(boundary.error(), call.request);
  const std::string& network = call.parameter("network");
  const BoundaryPicture picture = make_picture(*asked, *boundary, network);
  if (*media == Media::png) return media_response(*media, boundary_png(picture));
  if (*media == Media::svg) return media_response(*media, boundary_svg(picture));
  return json_response(as_json(*asked, picture, network));
}

}  // namespace mlpd::api
