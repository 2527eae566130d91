// A small builder of inline SVG.
#include "svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "attune/base/strings.h"
#include "html_text.h"

namespace attune::report {
namespace {

std::string tooltip_tag(std::string_view tooltip) {
  return tooltip.empty() ? "" : concat("<title>", escape_html(tooltip), "</title>");
}

std::string pairs_text(const std::vector<Point>& points) {
  std::string text;
  for (const auto& [x, y] : points) text += concat(pixels(x), ",", pixels(y), " ");
  return text;
}

}  // namespace

std::string pixels(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.2f", value);
  std::string text = buffer;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

Ticks round_ticks(double low, double high, int count) {
  if (!(high > low)) {
    // Single values from 0 to 1 are mostly shares, which end there.
    const double around = low == 0 ? 1 : std::abs(low) * 0.1;
    const bool may_be_share = low >= 0 && low <= 1;
    low = may_be_share ? std::max(0.0, low - around) : low - around;
    high = may_be_share ? std::min(1.0, high + around) : high + around;
  }
  const double rough = (high - low) / count, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double nice : {1.0, 2.0, 2.5, 5.0}) {
    if (nice * power >= rough * (1 - 1e-9)) {
      step = nice * power;
      break;
    }
  }
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  Ticks ticks{.low = first * step, .high = last * step, .at = {}, .step = step};
  for (double i = first; i <= last + 0.5; ++i) ticks.at.push_back(i * step);
  return ticks;
}

std::string Ticks::label(double value) const {
  char buffer[32];
  const double largest = std::max(std::abs(low), std::abs(high));
  if (std::abs(value) < step / 1e6) return "0";
  if (largest >= 1e5 || largest < 1e-3) {
    std::snprintf(buffer, sizeof buffer, "%.1e", value);
    return buffer;
  }
  int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  const double last_digit = step * std::pow(10, digits);
  if (std::abs(last_digit - std::round(last_digit)) > 1e-6) ++digits;  // steps of 2.5
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}

Svg::Svg(double width, double height, std::string_view description)
    : body_(concat("<svg role=\"img\" viewBox=\"0 0 ", pixels(width), " ", pixels(height), "\" width=\"", pixels(width),
                   "\" height=\"", pixels(height), "\" aria-label=\"", escape_html(description), "\">\n")) {}

Svg& Svg::line(Point from, Point to, std::string_view css) {
  body_ += concat("<line class=\"", css, "\" x1=\"", pixels(from.first), "\" y1=\"", pixels(from.second), "\" x2=\"",
                  pixels(to.first), "\" y2=\"", pixels(to.second), "\"/>\n");
  return *this;
}

Svg& Svg::polyline(const std::vector<Point>& points, std::string_view css) {
  body_ += concat("<polyline class=\"", css, "\" points=\"", pairs_text(points), "\"/>\n");
  return *this;
}

Svg& Svg::polygon(const std::vector<Point>& corners, std::string_view css) {
  body_ += concat("<polygon class=\"", css, "\" points=\"", pairs_text(corners), "\"/>\n");
  return *this;
}

Svg& Svg::circle(Point centre, double radius, std::string_view css, std::string_view tooltip) {
  body_ += concat("<circle class=\"", css, "\" cx=\"", pixels(centre.first), "\" cy=\"", pixels(centre.second),
                  "\" r=\"", pixels(radius), "\">", tooltip_tag(tooltip), "</circle>\n");
  return *this;
}

Svg& Svg::rect(Point corner, Point size, std::string_view css, std::string_view extra, std::string_view tooltip) {
  body_ += concat("<rect class=\"", css, "\" x=\"", pixels(corner.first), "\" y=\"", pixels(corner.second),
                  "\" width=\"", pixels(std::max(0.0, size.first)), "\" height=\"", pixels(std::max(0.0, size.second)),
                  "\" ", extra, ">", tooltip_tag(tooltip), "</rect>\n");
  return *this;
}

Svg& Svg::text(Point at, std::string_view text, std::string_view css) {
  body_ += concat("<text class=\"", css, "\" x=\"", pixels(at.first), "\" y=\"", pixels(at.second), "\">",
                  escape_html(text), "</text>\n");
  return *this;
}

Svg& Svg::rotated_text(Point at, double degrees, std::string_view text, std::string_view css) {
  body_ += concat("<text class=\"", css, "\" transform=\"translate(", pixels(at.first), " ", pixels(at.second),
                  ") rotate(", pixels(degrees), ")\">", escape_html(text), "</text>\n");
  return *this;
}

}  // namespace attune::report
