#include "api/boundary_picture.h"

#include <gtest/gtest.h>
#include <spng.h>

#include <memory>

namespace mlpd::api {
namespace {

struct Pixels {
  std::uint32_t side = 0;
  std::string rgb;
  std::string at(std::size_t row, std::size_t column) const {
    return rgb.substr(3 * (row * side + column), 3);
  }
};

Pixels decode(const std::string& png) {
  Pixels pixels;
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> context(spng_ctx_new(0), spng_ctx_free);
  EXPECT_EQ(spng_set_png_buffer(context.get(), png.data(), png.size()), 0);
  spng_ihdr header{};
  EXPECT_EQ(spng_get_ihdr(context.get(), &header), 0);
  EXPECT_EQ(header.width, header.height);
  pixels.side = header.width;
  std::size_t size = 0;
  EXPECT_EQ(spng_decoded_image_size(context.get(), SPNG_FMT_RGB8, &size), 0);
  pixels.rgb.resize(size);
  EXPECT_EQ(spng_decode_image(context.get(), pixels.rgb.data(), size, SPNG_FMT_RGB8, 0), 0);
  return pixels;
}

const core::Boundary kTwoClasses{{0, 0.5, 0.5, 1}, {0, 1, 1, 1}, 0, 1};

BoundaryPicture picture(const core::Boundary& boundary, std::size_t classes) {
  return {boundary, 2, classes, {"x<0>", -1, 1}, {"y", 0, 200}, {}, {}, "a & b, step 3"};
}

TEST(BoundaryPictureTest, PngHasTheLowestCellAtTheBottomLeft) {
  const Pixels pixels = decode(boundary_png(picture(kTwoClasses, 2)));
  EXPECT_GE(pixels.side, kPictureSide);
  const std::size_t last = pixels.side - 1;
  EXPECT_EQ(pixels.at(last, 0), "\x21\x66\xac");  // share 0: blue
  EXPECT_EQ(pixels.at(0, last), "\xb3\x58\x06");  // share 1: orange
  EXPECT_EQ(pixels.at(0, 0), "\xf7\xf7\xf7");     // between: white
  EXPECT_EQ(pixels.at(last, last), "\xf7\xf7\xf7");
}

TEST(BoundaryPictureTest, ManyClassesAreTheirOwnColours) {
  const core::Boundary boundary{{1, 1, 1, 0.34}, {0, 1, 2, 2}, 0.34, 1};
  const Pixels pixels = decode(boundary_png(picture(boundary, 3)));
  const std::size_t last = pixels.side - 1;
  EXPECT_EQ(pixels.at(last, 0), std::string("\x00\x72\xb2", 3));
  EXPECT_EQ(pixels.at(last, last), std::string("\xe6\x9f\x00", 3));
  EXPECT_NE(pixels.at(0, last), pixels.at(0, 0)) << "an unsure cell is paler";
}

TEST(BoundaryPictureTest, SvgEscapesNamesAndDrawsPointsWithinTheAxes) {
  BoundaryPicture shown = picture(kTwoClasses, 2);
  shown.points = {{0, 0.5, 7}, {100, 20, 100}, {0, 1, 1}, {}};
  shown.class_names = {"no", "yes"};
  const std::string svg = boundary_svg(shown);
  EXPECT_EQ(svg.find("x<0>"), std::string::npos);
  for (const char* expected : {"<svg ", "x&lt;0&gt;", "a &amp; b, step 3", ">yes<", ">150<", ">-0.5<",
                               "href=\"data:image/png;base64,iVBOR", "</svg>"})
    EXPECT_NE(svg.find(expected), std::string::npos) << expected;
  std::size_t circles = 0;
  for (auto at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1)) ++circles;
  EXPECT_EQ(circles, 2u);
}

}  // namespace
}  // namespace mlpd::api
