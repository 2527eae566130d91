// Turns JSON into options: first every key of the file and of --set is given its place, then values are read, so that
// all that is wrong comes out at once. Null is the default, of options and of blocks; an option whose values have null
// among them reads it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "attune/config/config.h"
#include "option.h"

namespace attune::config {

class Reader {
 public:
  /// `table` is bound to the options that are to be filled.
  Reader(const std::vector<Option>& table, std::string file);

  /// One layer over those before it.
  void add_file(const Json& document);
  void add_override(const std::string& text);

  /// An override of `winner` by a value wins over what the file says of the `losers`, which exclude it: a note tells of it.
  void outrank(const std::string& winner, const std::vector<std::string>& losers);

  /// Reads all values into the options; afterwards problems() has all that is wrong.
  void fill();

  /// Paths that were written down.
  const std::set<std::string>& given() const { return given_; }
  /// Whether the value of the path comes from an override.
  bool is_override(const std::string& path) const;
  /// Whether a problem was found with the path or what holds it, so that its value is not what was meant.
  bool is_faulty(const std::string& path) const;
  std::vector<Problem>& problems() { return problems_; }
  std::vector<std::string>& notes() { return notes_; }

 private:
  /// The file, or one --set; a later layer wins over an earlier one.
  struct Layer {
    int number = 0;
    bool is_override = false;
    std::string source = {};              ///< file or "--set"
    std::optional<std::string> raw = {};  ///< --set of a number or boolean: its text, because the shell has no types
  };
  struct Assignment {
    Layer layer;
    std::string written;  ///< path as the user wrote it
    Json value;
    std::optional<Range> range;  ///< of the alias that was used
  };
  struct Place {
    const Option* option = nullptr;
    const Alias* alias = nullptr;
  };

  void walk(const Json& object, const std::string& block);
  Place place_of(const std::string& block, const std::string& key) const;
  void open_block(const Option& block, const Json& value, const std::string& written);
  void assign(const Place& place, const Json& value, const std::string& written);
  /// Null for a block gives its options their defaults back, whatever layers before this one say of them.
  void forget_earlier(const std::string& block);
  void set_presence(const std::string& block, bool present, const std::string& written);
  void report_unknown(const std::string& block, const std::string& key);
  std::string unknown_key_hint(const std::string& block, const std::string& key);
  std::vector<std::string> keys_elsewhere(const std::string& key) const;
  void fill_option(const Option& option);
  void report(const Layer& layer, const std::string& written, std::string what, std::string hint);

  const std::vector<Option>& table_;
  std::string file_;
  std::map<std::string, Place> aliases_;
  Layer layer_;                                           ///< that is being walked
  std::map<std::string, Assignment> assignments_;         ///< by path
  std::map<std::string, std::pair<int, bool>> presence_;  ///< of blocks that may be null: layer, present
  std::set<std::string> given_;
  std::set<std::string> faulty_;
  std::vector<Problem> problems_;
  std::vector<std::string> notes_;
};

}  // namespace attune::config
