// See time_value.h.
#include "attune/data/time_value.h"

#include <chrono>
#include <cstddef>

#include "attune/base/strings.h"
#include "attune/data/record.h"

namespace attune::data {

namespace {

/// Takes text from the front; every step says whether it found what it wanted.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }

  bool character(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_.front()) == std::string_view::npos) return false;
    taken_ = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  char taken() const { return taken_; }

  bool digits(std::size_t count, int& number) {
    if (text_.size() < count) return false;
    number = 0;
    for (const char c : text_.substr(0, count)) {
      if (c < '0' || c > '9') return false;
      number = number * 10 + (c - '0');
    }
    text_.remove_prefix(count);
    return true;
  }

  double fraction() {
    double value = 0;
    for (double unit = 0.1; character("0123456789"); unit /= 10) value += unit * (taken_ - '0');
    return value;
  }

 private:
  std::string_view text_;
  char taken_ = 0;
};

bool parse_date(Cursor& cursor, double& seconds) {
  int year = 0, month = 0, day = 0;
  if (!cursor.digits(4, year) || !cursor.character("-") || !cursor.digits(2, month) || !cursor.character("-") ||
      !cursor.digits(2, day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return false;
  seconds = 86400.0 * static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
  return true;
}

bool parse_clock(Cursor& cursor, double& seconds) {
  int hour = 0, minute = 0, second = 0;
  if (!cursor.digits(2, hour) || !cursor.character(":") || !cursor.digits(2, minute)) return false;
  if (cursor.character(":")) {
    if (!cursor.digits(2, second)) return false;
    if (cursor.character(".")) seconds += cursor.fraction();
  }
  seconds += hour * 3600.0 + minute * 60.0 + second;
  return hour < 24 && minute < 60 && second < 61;
}

bool parse_zone(Cursor& cursor, double& seconds) {
  if (cursor.done() || cursor.character("Z")) return true;
  if (!cursor.character("+-")) return false;
  const double sign = cursor.taken() == '+' ? -1.0 : 1.0;
  int hour = 0, minute = 0;
  if (!cursor.digits(2, hour)) return false;
  cursor.character(":");
  if (!cursor.done() && !cursor.digits(2, minute)) return false;
  seconds += sign * (hour * 3600.0 + minute * 60.0);
  return hour < 24 && minute < 60;
}

}  // namespace

bool parse_time(std::string_view text, TimeValue& time) {
  text = trim(text);
  time.is_date = false;
  if (parse_number(text, time.value)) return true;
  Cursor cursor(text);
  time = {.is_date = true, .value = 0};
  if (!parse_date(cursor, time.value)) return false;
  if (cursor.done()) return true;
  return cursor.character("T ") && parse_clock(cursor, time.value) && parse_zone(cursor, time.value) && cursor.done();
}

}  // namespace attune::data
