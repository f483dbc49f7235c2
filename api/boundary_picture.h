#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/boundary.h"

namespace mlpd::api {

/// An axis of a picture: what it is called and its range in the data's own units.
struct PictureAxis {
  std::string name;
  double from = -1;
  double to = 1;
};

/// Rows of data laid over the surface, in the axes' units.
struct PicturePoints {
  std::vector<double> x;
  std::vector<double> y;
  std::vector<std::size_t> classes;  ///< empty where the network doesn't classify
  std::vector<double> values;        ///< targets, where it doesn't
};

/// A decision surface with all that its picture says.
struct BoundaryPicture {
  const core::Boundary& boundary;
  std::size_t resolution;
  std::size_t class_count;  ///< 0 where the network doesn't classify
  PictureAxis x;
  PictureAxis y;
  PicturePoints points;
  std::vector<std::string> class_names;  ///< class_count names, or empty
  std::string title;
};

/// The surface alone, y upwards, each cell a square of whole pixels, at least kPictureSide on a side. Two
/// classes and values: a diverging scale, blue over white to orange; more classes: Okabe and Ito's colours,
/// paler where the network is less sure. Both can be told apart by colour-blind people.
inline constexpr std::size_t kPictureSide = 400;
std::string boundary_png(const BoundaryPicture& picture);

/// The same with axes, legend, points and title. Needs nothing outside itself.
std::string boundary_svg(const BoundaryPicture& picture);

}  // namespace mlpd::api
