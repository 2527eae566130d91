"""Goldens of the models module: tiny random checkpoints, one packed batch each, and what Transformers computes from it.

Each folder holds config.json and model.safetensors as save_pretrained writes them, and expected.safetensors: the batch as a
packed stream (ids, positions, segments, lengths), logits, hidden.N [T, H], pooled (base models), and grad.NAME of
loss = Σ logits · direction. Checkpoints of DTYPES are saved in that format; what is expected of them is computed in float32.
Cases of AUTOCAST have autocast.safetensors beside it: logits and gradients under torch.autocast in bfloat16.
"""

import torch
import transformers as hf
from safetensors.torch import save_file

hf.logging.set_verbosity_error()

LENGTHS = (9, 5, 1)
BERT = dict(vocab_size=32, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=20, max_position_embeddings=12)
DISTILBERT = dict(vocab_size=32, dim=16, n_layers=2, n_heads=4, hidden_dim=20, max_position_embeddings=12)
ROBERTA = dict(BERT, max_position_embeddings=14, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5)
GPT2 = dict(vocab_size=32, n_positions=12, n_embd=16, n_layer=2, n_head=4, n_inner=20, pad_token_id=0, bos_token_id=1, eos_token_id=2)
NEOX = dict(vocab_size=32, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=20, max_position_embeddings=12,
            pad_token_id=0, bos_token_id=1, eos_token_id=2)
LLAMA = dict(NEOX, num_key_value_heads=2)
LLAMA3_ROPE = dict(rope_type="llama3", rope_theta=1e4, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
GEMMA2 = dict(head_dim=8, query_pre_attn_scalar=6, sliding_window=3, layer_types=["sliding_attention", "full_attention"])
GEMMA3_ROPE = dict(full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1e6), sliding_attention=dict(rope_type="default", rope_theta=1e4))
LONGROPE = dict(rope_type="longrope", rope_theta=1e4, short_factor=[1.0, 1.5], long_factor=[2.0, 5.0], original_max_position_embeddings=8)
LABELS = dict(id2label={0: "calm", 1: "brisk", 2: "über"}, label2id={"calm": 0, "brisk": 1, "über": 2})

CASES = {
    "bert_base": (hf.BertModel, hf.BertConfig(**BERT)),
    "bert_sequence": (hf.BertForSequenceClassification, hf.BertConfig(**BERT, **LABELS)),
    "bert_masked_lm": (hf.BertForMaskedLM, hf.BertConfig(**BERT, hidden_act="gelu_new", layer_norm_eps=1e-5)),
    "bert_untied_lm": (hf.BertForMaskedLM, hf.BertConfig(**BERT, tie_word_embeddings=False)),
    "bert_span": (hf.BertForQuestionAnswering, hf.BertConfig(**BERT)),
    "distilbert_sequence": (hf.DistilBertForSequenceClassification, hf.DistilBertConfig(**DISTILBERT, **LABELS)),
    "distilbert_masked_lm": (hf.DistilBertForMaskedLM, hf.DistilBertConfig(**DISTILBERT)),
    "distilbert_token": (hf.DistilBertForTokenClassification, hf.DistilBertConfig(**DISTILBERT, **LABELS, sinusoidal_pos_embds=True)),
    "electra_sequence": (hf.ElectraForSequenceClassification, hf.ElectraConfig(**BERT, **LABELS, embedding_size=8)),
    "electra_masked_lm": (hf.ElectraForMaskedLM, hf.ElectraConfig(**BERT, embedding_size=8)),
    "roberta_base": (hf.RobertaModel, hf.RobertaConfig(**ROBERTA)),
    "roberta_sequence": (hf.RobertaForSequenceClassification, hf.RobertaConfig(**ROBERTA, **LABELS)),
    "roberta_masked_lm": (hf.RobertaForMaskedLM, hf.RobertaConfig(**ROBERTA)),
    "gpt2_causal_lm": (hf.GPT2LMHeadModel, hf.GPT2Config(**GPT2)),
    "gpt2_sequence": (hf.GPT2ForSequenceClassification, hf.GPT2Config(**GPT2, **LABELS)),
    "gpt2_token": (hf.GPT2ForTokenClassification, hf.GPT2Config(**GPT2, **LABELS)),
    "gpt2_span": (hf.GPT2ForQuestionAnswering, hf.GPT2Config(**GPT2)),
    "gpt_neox_causal_lm": (hf.GPTNeoXForCausalLM, hf.GPTNeoXConfig(**NEOX, rope_parameters=dict(rope_type="default", rope_theta=1e4, partial_rotary_factor=0.5))),
    "gpt_neox_token": (hf.GPTNeoXForTokenClassification, hf.GPTNeoXConfig(**NEOX, **LABELS, use_parallel_residual=False, attention_bias=False)),
    "llama_causal_lm": (hf.LlamaForCausalLM, hf.LlamaConfig(**LLAMA, rope_parameters=LLAMA3_ROPE)),
    "llama_base": (hf.LlamaModel, hf.LlamaConfig(**LLAMA, attention_bias=True, mlp_bias=True)),
    "llama_span": (hf.LlamaForQuestionAnswering, hf.LlamaConfig(**LLAMA)),
    "mistral_sequence": (hf.MistralForSequenceClassification, hf.MistralConfig(**LLAMA, **LABELS, sliding_window=3)),
    "qwen2_causal_lm": (hf.Qwen2ForCausalLM, hf.Qwen2Config(**LLAMA, tie_word_embeddings=True, use_sliding_window=True, sliding_window=3, max_window_layers=1)),
    "qwen3_causal_lm": (hf.Qwen3ForCausalLM, hf.Qwen3Config(**LLAMA, head_dim=6)),
    "qwen3_token": (hf.Qwen3ForTokenClassification, hf.Qwen3Config(**LLAMA, **LABELS, head_dim=8)),
    "smollm3_causal_lm": (hf.SmolLM3ForCausalLM, hf.SmolLM3Config(**LLAMA, no_rope_layers=[1, 0])),
    "gemma_causal_lm": (hf.GemmaForCausalLM, hf.GemmaConfig(**LLAMA, head_dim=8)),
    "gemma2_causal_lm": (hf.Gemma2ForCausalLM, hf.Gemma2Config(**LLAMA, **GEMMA2, attn_logit_softcapping=2.0, final_logit_softcapping=3.0)),
    "gemma3_text_causal_lm": (hf.Gemma3ForCausalLM, hf.Gemma3TextConfig(**LLAMA, **GEMMA2, rope_parameters=GEMMA3_ROPE)),
    "phi3_causal_lm": (hf.Phi3ForCausalLM, hf.Phi3Config(**LLAMA, sliding_window=4, original_max_position_embeddings=8, rope_parameters=LONGROPE)),
    "bert_bfloat16": (hf.BertForSequenceClassification, hf.BertConfig(**BERT, **LABELS)),
    "bert_float16": (hf.BertForSequenceClassification, hf.BertConfig(**BERT, **LABELS)),
}
DTYPES = {"bert_bfloat16": torch.bfloat16, "bert_float16": torch.float16}
AUTOCAST = ("bert_sequence", "distilbert_token", "electra_masked_lm")



def perturbed(model, generator):
    """Nothing is trivially 0 or 1, so that a forgotten bias or norm shows."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model.eval()


def padded_batch(config, generator):
    rows, longest = len(LENGTHS), max(LENGTHS)
    mask = torch.tensor([[int(s < n) for s in range(longest)] for n in LENGTHS])
    padding = config.pad_token_id or 0
    ids = torch.randint(padding + 1, config.vocab_size, (rows, longest), generator=generator).masked_fill(mask == 0, padding)
    segments = (torch.arange(longest) >= 4).long().expand(rows, longest) * mask
    return mask, ids, segments


def logits_of(output, live):
    if "start_logits" in output:
        return torch.stack([output.start_logits, output.end_logits], -1)[live]
    if "logits" in output:
        return output.logits if output.logits.dim() == 2 else output.logits[live]
    return output.last_hidden_state[live]


def gradients(model):
    return {f"grad.{name}": parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}


def write_tensors(path, tensors):
    save_file({name: value.detach().contiguous() for name, value in tensors.items()}, path)


def write_case(folder, model_class, config):
    generator = torch.Generator().manual_seed(7)
    torch.manual_seed(7)
    model = perturbed(model_class(config), generator)
    model.to(DTYPES.get(folder.name, torch.float32)).save_pretrained(folder)
    model.float()
    mask, ids, segments = padded_batch(config, generator)
    live = mask.bool()
    inputs = dict(input_ids=ids, attention_mask=mask)
    if getattr(config, "type_vocab_size", 2) == 1:
        segments = torch.zeros_like(ids)
    if getattr(config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = segments
    output = model(**inputs, output_hidden_states=True)
    logits = logits_of(output, live)
    direction = torch.randn(logits.shape, generator=generator)
    (logits * direction).sum().backward()
    expected = dict(ids=ids[live], positions=torch.arange(mask.shape[1]).expand_as(ids)[live], segments=segments[live],
                    lengths=torch.tensor(LENGTHS), direction=direction, logits=logits)
    if "pooler_output" in output:
        expected["pooled"] = output.pooler_output
    for i, hidden in enumerate(output.hidden_states):
        expected[f"hidden.{i}"] = hidden[live]
    write_tensors(folder / "expected.safetensors", expected | gradients(model))
    if folder.name in AUTOCAST:
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            logits = logits_of(model(**inputs), live).float()
        (logits * direction).sum().backward()
        write_tensors(folder / "autocast.safetensors", dict(logits=logits) | gradients(model))
    for file in folder.iterdir():
        file.chmod(0o644)  # safetensors makes files that only their owner can read


def write(folder):
    for name, (model_class, config) in CASES.items():
        write_case(folder / name, model_class, config)
