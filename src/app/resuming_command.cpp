// See resuming_command.h.
#include "app/resuming_command.h"

#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/execution.h"

namespace attune::app {

namespace {

std::vector<std::string> resuming_settings(const GivenCommand& given, bool overwrites) {
  std::vector<std::string> settings = given.overrides;
  if (!overwrites) return settings;
  std::erase_if(settings, [](const std::string& setting) { return setting.starts_with("overwrite_output_dir="); });
  const std::string file = files::read_file(given.config, ErrorKind::usage);
  const bool file_overwrites = config::parse(file, given.config, settings, job::machine()).options.overwrite_output_dir;
  if (file_overwrites) settings.emplace_back("overwrite_output_dir=false");
  return settings;
}

}  // namespace

std::string resuming_command(const GivenCommand& given, bool overwrites) {
  std::string command = concat("attune ", given.verb, " ", in_shell(given.config));
  for (const std::string& vary : given.vary) command += concat(" --vary ", in_shell(vary));
  for (const std::string& setting : resuming_settings(given, overwrites)) command += concat(" --set ", in_shell(setting));
  return command + " --resume";
}

}  // namespace attune::app
