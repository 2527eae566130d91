"""Opens an adapter folder in PEFT and says which keys do not fit."""
from pathlib import Path

from peft import PeftConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoConfig


def open_in_peft(folder, model_class):
    """The model, and {"missing_keys", "unexpected_keys", "mismatched_keys"} of what PEFT complains about (empty when nothing)."""
    folder = Path(folder)
    config = PeftConfig.from_pretrained(folder)
    base = model_class.from_pretrained(config.base_model_name_or_path, config=AutoConfig.from_pretrained(folder))
    # So that what trains can be told from what does not; of virtual tokens the file has what is used and not what trains.
    config.inference_mode = config.is_prompt_learning
    model = get_peft_model(base, config)
    loaded = load_file(folder / "adapter_model.safetensors")
    result = set_peft_model_state_dict(model, dict(loaded))
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    of_tokens = ("prompt_embeddings", "prompt_encoder.")  # which PEFT brings together itself
    problems = {
        "missing_keys": sorted(key for key in trained & set(result.missing_keys) if not key.startswith(of_tokens)),
        "unexpected_keys": [key for key in result.unexpected_keys if not key.startswith(of_tokens)],
        "mismatched_keys": list(getattr(result, "mismatched_keys", [])),
    }
    return model, {key: value for key, value in problems.items() if value}
