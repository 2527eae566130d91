// A small builder of inline SVG and the scales of its axes. Colours come from the page's style sheet through classes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attune::report {

using Point = std::pair<double, double>;

/// A linear map from values to pixels.
struct Scale {
  double low, high;  ///< values
  double from, to;   ///< pixels
  double operator()(double value) const {
    return high == low ? (from + to) / 2 : from + (value - low) / (high - low) * (to - from);
  }
};

struct Ticks {
  double low, high;  ///< the range widened to whole ticks
  std::vector<double> at;
  std::string label(double value) const;  ///< with as many digits as the distance of the ticks needs

  double step;
};

/// About `count` round numbers (1, 2, 2.5 or 5 times a power of ten apart) around [low, high]. Where both are one value,
/// also beside it; beside one from 0 to 1 they stay there.
Ticks round_ticks(double low, double high, int count);

class Svg {
 public:
  /// `description` is what a screen reader says.
  Svg(double width, double height, std::string_view description);

  Svg& line(Point from, Point to, std::string_view css);
  Svg& polyline(const std::vector<Point>& points, std::string_view css);
  Svg& polygon(const std::vector<Point>& corners, std::string_view css);
  Svg& circle(Point centre, double radius, std::string_view css, std::string_view tooltip = "");
  /// `extra` goes into the tag as it is, for example fill-opacity="0.4".
  Svg& rect(Point corner, Point size, std::string_view css, std::string_view extra = "", std::string_view tooltip = "");
  /// css: also "end" and "middle" for the anchor. The text is escaped here.
  Svg& text(Point at, std::string_view text, std::string_view css = "");
  Svg& rotated_text(Point at, double degrees, std::string_view text, std::string_view css = "");
  std::string finish() { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

/// 12.345 → "12.35": coordinates need no more.
std::string pixels(double value);

}  // namespace attune::report
