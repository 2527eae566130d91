// See kept_layers.h.
#include "job/kept_layers.h"

#include "attune/adapt/freeze.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "job/frozen_hashes.h"

namespace attune::job {

int kept_stages(const models::Model& model, const std::vector<bool>& trainable, const train::TrainingOptions& options) {
  const int stages = train::lowest_trained_stage(model, trainable);
  const bool none_trains = stages > model.depth() + 1;  // then nothing is asked for twice
  return stages < 2 || none_trains || options.frozen_dropout ? 0 : stages;
}

std::unique_ptr<train::FrozenPrefix> frozen_prefix(const models::LoadedModel& loaded, const std::vector<bool>& trainable,
                                                   const Prepared& prepared) {
  const int stages = kept_stages(*loaded.model, trainable, prepared.options.training);
  if (stages == 0) return nullptr;
  auto prefix =
      std::make_unique<train::FrozenPrefix>(*loaded.model, stages, *prepared.prefix_cache, prepared.frozen_hashes->known(loaded));
  prepared.frozen_hashes->remember(loaded, prefix->hashes());
  return prefix;
}

void warn_of_idle_prefix_cache(const Prepared& prepared, models::Model& model) {
  const train::TrainingOptions& options = prepared.options.training;
  if (options.prefix_cache_mib <= 0) return;
  const bool has_frozen = kept_stages(model, adapt::trainable_parameters(model, prepared.options.tuning), {}) > 0;
  const char* why = !has_frozen                                 ? "no layer below the trained ones is frozen"
                    : options.frozen_dropout                    ? "under training.frozen_dropout they give other values each time"
                    : prepared.hides_words()                   ? "fill-mask hides other words of a text each time"
                                                                : nullptr;
  if (why == nullptr) return;
  log::warning(concat("training.prefix_cache_mib has no effect, nothing that frozen layers compute can be kept: ", why));
}

}  // namespace attune::job
