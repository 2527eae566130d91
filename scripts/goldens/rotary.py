"""Goldens of rotary positions: configurations in v4's and v5's spelling, and the frequencies that Transformers makes of them.

expected.json: a list of {name, config, tables}; tables holds one {lengths: {LENGTH: [frequency per pair, float32]},
attention_factor} for each kind of block (full attention, then windows).
"""

import json
import logging

import torch
import transformers as hf
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

logging.getLogger("transformers").setLevel(logging.ERROR)

SIZES = dict(vocab_size=32, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, intermediate_size=20,
             max_position_embeddings=2048)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=512)
FACTORS = dict(short_factor=[1.0 + 0.1 * i for i in range(8)], long_factor=[1.0 + i for i in range(8)])

CASES = {
    "default": ("llama", dict(rope_parameters=dict(rope_type="default", rope_theta=12345.0))),
    "nothing said": ("llama", {}),
    "v4 theta": ("llama", dict(rope_theta=500000.0, rope_scaling=None)),
    "v4 linear": ("llama", dict(rope_theta=1e5, rope_scaling=dict(type="linear", factor=3.0))),
    "linear": ("qwen2", dict(rope_parameters=dict(rope_type="linear", rope_theta=1e6, factor=8))),
    "dynamic": ("llama", dict(rope_parameters=dict(rope_type="dynamic", rope_theta=1e4, factor=2.0))),
    "llama3": ("llama", dict(rope_parameters=dict(rope_type="llama3", rope_theta=5e5, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                                  original_max_position_embeddings=256))),
    "v4 llama3": ("llama", dict(rope_theta=5e5, rope_scaling=dict(rope_type="llama3", factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                                                  original_max_position_embeddings=512))),
    "yarn": ("qwen3", dict(head_dim=16, rope_parameters=dict(YARN, rope_theta=1e6))),
    "yarn of one attention factor": ("llama", dict(rope_parameters=dict(YARN, rope_theta=1e4, attention_factor=1.5, beta_fast=16.0, beta_slow=2.0))),
    "yarn with mscale": ("llama", dict(rope_parameters=dict(YARN, rope_theta=1e4, mscale=0.7, mscale_all_dim=0.3, truncate=False))),
    "yarn without its original length": ("llama", dict(rope_parameters=dict(rope_type="yarn", rope_theta=1e4, factor=2.0))),
    "smollm3": ("smollm3", {}),
    "longrope": ("phi3", dict(rope_parameters=dict(rope_type="longrope", rope_theta=1e4, **FACTORS), original_max_position_embeddings=512)),
    "v4 longrope": ("phi3", dict(rope_theta=1e4, rope_scaling=dict(type="longrope", **FACTORS), original_max_position_embeddings=256)),
    "longrope without a key beside it": ("phi3", dict(rope_parameters=dict(rope_type="longrope", rope_theta=1e4, **FACTORS))),
    "longrope on a share": ("phi3", dict(rope_parameters=dict(rope_type="longrope", rope_theta=1e4, partial_rotary_factor=0.5,
                                                              short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[1.0, 2.0, 4.0, 8.0]),
                                         original_max_position_embeddings=512)),
    "phi3 on a share": ("phi3", dict(rope_theta=1e4, partial_rotary_factor=0.75)),
    "neox": ("gpt_neox", {}),
    "v4 neox": ("gpt_neox", dict(rotary_pct=0.4, rotary_emb_base=20000)),
    "v5 neox": ("gpt_neox", dict(rope_parameters=dict(rope_type="linear", rope_theta=1e4, partial_rotary_factor=0.5, factor=2.0))),
    "gemma3": ("gemma3_text", dict(head_dim=16, sliding_window=8)),
    "v4 gemma3": ("gemma3_text", dict(head_dim=16, sliding_window=8, rope_theta=2e6, rope_local_base_freq=3e4, rope_scaling=dict(rope_type="linear", factor=8.0))),
    "v5 gemma3": ("gemma3_text", dict(head_dim=16, sliding_window=8, rope_parameters=dict(
        full_attention=dict(rope_type="yarn", rope_theta=1e6, factor=4.0, original_max_position_embeddings=512),
        sliding_attention=dict(rope_type="default", rope_theta=1e4)))),
}
LENGTHS = (1, 256, 257, 512, 513, 4096, 4097, 5000)


def table(config, layer_type):
    parameters = config.rope_parameters[layer_type] if layer_type else config.rope_parameters
    kind = parameters["rope_type"]
    lengths = {}
    for length in LENGTHS:
        if kind == "default":
            rotary = {"gpt_neox": hf.models.gpt_neox.modeling_gpt_neox.GPTNeoXRotaryEmbedding, "phi3": hf.models.phi3.modeling_phi3.Phi3RotaryEmbedding,
                      "gemma3_text": hf.models.gemma3.modeling_gemma3.Gemma3RotaryEmbedding}.get(config.model_type, hf.models.llama.modeling_llama.LlamaRotaryEmbedding)
            frequencies, factor = rotary.compute_default_rope_parameters(config, **(dict(layer_type=layer_type) if layer_type else {}))
        else:
            frequencies, factor = ROPE_INIT_FUNCTIONS[kind](config, None, seq_len=length, layer_type=layer_type)
        lengths[str(length)] = frequencies.to(torch.float32).tolist()
    return dict(lengths=lengths, attention_factor=float(factor))


def write(folder):
    cases = []
    for name, (model_type, given) in CASES.items():
        config = hf.AutoConfig.for_model(model_type, **SIZES, **json.loads(json.dumps(given)))
        kinds = ("full_attention", "sliding_attention") if model_type == "gemma3_text" else (None,)
        cases.append(dict(name=name, config=dict(SIZES, model_type=model_type, **given), tables=[table(config, kind) for kind in kinds]))
    lines = ",\n".join(json.dumps(case) for case in cases)
    (folder / "expected.json").write_text(f"[{lines}]\n")
