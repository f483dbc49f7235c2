#include "api/boundary_picture.h"

#include <openssl/evp.h>
#include <spng.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "api/json_writer.h"

namespace mlpd::api {
namespace {

using Colour = std::array<double, 3>;

// Evenly spaced anchors of the diverging scale.
constexpr Colour kDiverging[] = {
    {33, 102, 172}, {146, 197, 222}, {247, 247, 247}, {253, 184, 99}, {179, 88, 6}};
// Okabe and Ito, "Color Universal Design" (2008), without black.
constexpr Colour kClasses[] = {{0, 114, 178},  {230, 159, 0}, {0, 158, 115}, {204, 121, 167},
                               {86, 180, 233}, {213, 94, 0},  {240, 228, 66}};
constexpr Colour kWhite = {255, 255, 255};

Colour mix(const Colour& a, const Colour& b, double share) {
  Colour colour{};
  for (std::size_t i = 0; i < 3; ++i) colour[i] = a[i] + (b[i] - a[i]) * share;
  return colour;
}

Colour diverging(double share) {
  constexpr std::size_t kSpans = std::size(kDiverging) - 1;
  const double at = std::clamp(share, 0.0, 1.0) * kSpans;
  const std::size_t span = std::min(static_cast<std::size_t>(at), kSpans - 1);
  return mix(kDiverging[span], kDiverging[span + 1], at - static_cast<double>(span));
}

Colour class_colour(std::size_t index) { return kClasses[index % std::size(kClasses)]; }

/// Range of the diverging scale: shares for two classes, else what the values span.
struct Scale {
  double from = 0;
  double to = 1;
  double share(double value) const { return to > from ? (value - from) / (to - from) : 0.5; }
};

Scale scale_of(const BoundaryPicture& picture) {
  if (picture.class_count != 0) return {};
  return {picture.boundary.minimum, picture.boundary.maximum};
}

Colour cell_colour(const BoundaryPicture& picture, std::size_t cell) {
  const double value = picture.boundary.values[cell];
  if (picture.class_count <= 2) return diverging(scale_of(picture).share(value));
  const double least = 1 / static_cast<double>(picture.class_count);
  const double sure = std::clamp((value - least) / (1 - least), 0.0, 1.0);
  return mix(kWhite, class_colour(picture.boundary.classes[cell]), 0.35 + 0.65 * sure);
}

/// RGB rows from the top, each cell `factor` × `factor` pixels.
std::string pixels(const BoundaryPicture& picture, std::size_t factor) {
  const std::size_t n = picture.resolution;
  std::string out;
  out.reserve(3 * n * n * factor * factor);
  for (std::size_t r = n; r-- > 0;) {
    std::string row;
    for (std::size_t c = 0; c < n; ++c) {
      std::string pixel;
      for (double channel : cell_colour(picture, r * n + c))
        pixel += static_cast<char>(static_cast<unsigned char>(std::lround(channel)));
      for (std::size_t k = 0; k < factor; ++k) row += pixel;
    }
    for (std::size_t k = 0; k < factor; ++k) out += row;
  }
  return out;
}

std::string encode_png(const BoundaryPicture& picture, std::size_t factor) {
  const std::string rgb = pixels(picture, factor);
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> context(spng_ctx_new(SPNG_CTX_ENCODER), spng_ctx_free);
  spng_ihdr header{};
  header.width = header.height = static_cast<std::uint32_t>(picture.resolution * factor);
  header.bit_depth = 8;
  header.color_type = SPNG_COLOR_TYPE_TRUECOLOR;
  spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
  spng_set_ihdr(context.get(), &header);
  if (spng_encode_image(context.get(), rgb.data(), rgb.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE) != 0)
    throw std::bad_alloc();  // the only way in which encoding pixels of a right size to memory fails
  std::size_t size = 0;
  int error = 0;
  const std::unique_ptr<void, void (*)(void*)> png(spng_get_png_buffer(context.get(), &size, &error),
                                                   std::free);
  if (!png) throw std::bad_alloc();
  return {static_cast<const char*>(png.get()), size};
}

std::string base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

/// Short, for people: four significant digits.
std::string number(double value) {
  std::string text;
  if (value == 0) return "0";
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 3);
  const double rounded = std::round(value / unit);
  append_number(text, static_cast<float>(unit < 1 ? rounded / std::round(1 / unit) : rounded * unit));
  return text;
}

std::string hex(const Colour& colour) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "#";
  for (double channel : colour) {
    const auto byte = static_cast<unsigned>(std::lround(channel));
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// The plot's place in the drawing, in its units.
constexpr double kLeft = 70, kTop = 40, kSide = 480, kWidth = 720, kHeight = 590;

/// Draws shapes and texts one by one.
class Drawing {
 public:
  std::string out;

  void text(double x, double y, std::string_view anchor, std::string_view content,
            std::string_view more = {}) {
    out += "<text" + attribute("x", x) + attribute("y", y) + " text-anchor=\"" + std::string(anchor) + "\"" +
           std::string(more) + ">" + escaped(content) + "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2) {
    out += "<path d=\"M" + number(x1) + " " + number(y1) + "L" + number(x2) + " " + number(y2) +
           "\" stroke=\"#444\"/>\n";
  }
  void square(double x, double y, double side, const Colour& colour) {
    out += "<rect" + attribute("x", x) + attribute("y", y) + attribute("width", side) +
           attribute("height", side) + " fill=\"" + hex(colour) + "\"/>\n";
  }
  void point(double x, double y, const Colour& colour) {
    out += "<circle" + attribute("cx", x) + attribute("cy", y) + " r=\"3.5\" fill=\"" + hex(colour) +
           "\" stroke=\"#222\"/>\n";
  }
  static std::string attribute(std::string_view name, double value) {
    return " " + std::string(name) + "=\"" + number(value) + "\"";
  }
};

/// Round numbers within a range: 1, 2 or 5 times a power of ten apart.
std::vector<double> ticks(double from, double to) {
  const double rough = (to - from) / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double lead = rough / power;
  const double step = (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10) * power;
  std::vector<double> found;
  for (double tick = std::ceil(from / step); tick * step <= to && found.size() < 20; ++tick)
    found.push_back(tick * step);
  return found;
}

void draw_axes(Drawing& drawing, const BoundaryPicture& picture) {
  static constexpr double kTick = 6;
  for (const double tick : ticks(picture.x.from, picture.x.to)) {
    const double x = kLeft + kSide * (tick - picture.x.from) / (picture.x.to - picture.x.from);
    drawing.line(x, kTop + kSide, x, kTop + kSide + kTick);
    drawing.text(x, kTop + kSide + 20, "middle", number(tick));
  }
  for (const double tick : ticks(picture.y.from, picture.y.to)) {
    const double y = kTop + kSide * (1 - (tick - picture.y.from) / (picture.y.to - picture.y.from));
    drawing.line(kLeft - kTick, y, kLeft, y);
    drawing.text(kLeft - 9, y + 4, "end", number(tick));
  }
  drawing.text(kLeft + kSide / 2, kTop + kSide + 42, "middle", picture.x.name);
  drawing.text(18, kTop + kSide / 2, "middle", picture.y.name, " transform=\"rotate(-90 18 280)\"");
}

std::string class_name(const BoundaryPicture& picture, std::size_t index) {
  return index < picture.class_names.size() ? picture.class_names[index] : "class " + std::to_string(index);
}

void draw_legend(Drawing& drawing, const BoundaryPicture& picture) {
  static constexpr std::size_t kShownMax = 20;
  const double left = kLeft + kSide + 25;
  if (picture.class_count > 2) {
    for (std::size_t i = 0; i < std::min(picture.class_count, kShownMax); ++i) {
      const double y = kTop + 24 * static_cast<double>(i);
      drawing.square(left, y, 16, class_colour(i));
      drawing.text(left + 24, y + 13, "start", class_name(picture, i));
    }
    if (picture.class_count > kShownMax)
      drawing.text(left, kTop + 24 * kShownMax + 13, "start",
                   "and " + std::to_string(picture.class_count - kShownMax) + " more");
    return;
  }
  static constexpr int kSteps = 20;
  static constexpr double kStepSide = 12;
  const Scale scale = scale_of(picture);
  for (int i = 0; i < kSteps; ++i)
    drawing.square(left, kTop + kStepSide * (kSteps - 1 - i), kStepSide, diverging((i + 0.5) / kSteps));
  const double bottom = kTop + kStepSide * kSteps;
  const bool classes = picture.class_count == 2;
  drawing.text(left + 20, kTop + 10, "start", classes ? class_name(picture, 1) : number(scale.to));
  drawing.text(left + 20, bottom, "start", classes ? class_name(picture, 0) : number(scale.from));
}

void draw_points(Drawing& drawing, const BoundaryPicture& picture) {
  const PicturePoints& points = picture.points;
  const Scale scale = scale_of(picture);
  for (std::size_t i = 0; i < points.x.size(); ++i) {
    const double x = (points.x[i] - picture.x.from) / (picture.x.to - picture.x.from);
    const double y = (points.y[i] - picture.y.from) / (picture.y.to - picture.y.from);
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) continue;
    Colour colour;
    if (points.classes.empty())
      colour = diverging(scale.share(points.values[i]));
    else if (picture.class_count == 2)
      colour = diverging(points.classes[i] == 0 ? 0 : 1);
    else
      colour = class_colour(points.classes[i]);
    drawing.point(kLeft + kSide * x, kTop + kSide * (1 - y), colour);
  }
}

}  // namespace

std::string boundary_png(const BoundaryPicture& picture) {
  return encode_png(picture, (kPictureSide + picture.resolution - 1) / picture.resolution);
}

std::string boundary_svg(const BoundaryPicture& picture) {
  Drawing drawing;
  drawing.out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " +
                number(kHeight) +
                "\" role=\"img\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n<title>" +
                escaped(picture.title) + "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  drawing.text(kLeft, 24, "start", picture.title, " font-size=\"15\"");
  drawing.out += "<image x=\"" + number(kLeft) + "\" y=\"" + number(kTop) + "\" width=\"" + number(kSide) +
                 "\" height=\"" + number(kSide) +
                 "\" preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" "
                 "href=\"data:image/png;base64," +
                 base64(encode_png(picture, 1)) + "\"/>\n";
  draw_axes(drawing, picture);
  draw_legend(drawing, picture);
  draw_points(drawing, picture);
  drawing.out += "</svg>\n";
  return std::move(drawing.out);
}

}  // namespace mlpd::api
