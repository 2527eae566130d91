// resolve_model_path of attune/models/model.h.
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/hub_cache.h"
#include "attune/models/model.h"

namespace attune::models {

std::string resolve_model_path(const std::string& path_or_id) {
  if (is_folder(path_or_id, ErrorKind::model)) return path_or_id;
  if (path_exists(path_or_id, ErrorKind::model)) {
    throw Error(ErrorKind::model, {.file = path_or_id,
                                   .what = "found a file, expected the folder of a checkpoint",
                                   .where = {},
                                   .hint = "name the folder that holds config.json"});
  }
  if (!files::is_hub_id(path_or_id)) {
    throw Error(ErrorKind::model,
                {.file = path_or_id, .what = "there is no such folder", .where = {}, .hint = "check model.path"});
  }
  if (const auto cached = files::find_in_hub_cache(path_or_id)) return *cached;
  throw Error(ErrorKind::model,
              {.file = path_or_id,
               .what = concat("there is no such folder here, and no such model in the Hugging Face cache (looked in ",
                              join(files::hub_cache_places(), ", "), ")"),
               .where = {},
               .hint = concat("download it with: hf download ", path_or_id)});
}

}  // namespace attune::models
