"""Goldens of the infer module: what Transformers' generate() writes with the causal LMs of tests/goldens/models, and scores after
its logits processors and warpers.

generate.json: a list of {"model", "prompts" (ids, ragged), "options" (of generate), "ids" (new ones), "scores" (with beams), "config"
(what is laid over config.json, for positions that depend on the text's length)}. A case whose outcome hangs on a difference that rounding could turn is refused: the seed of its prompts is then another one.
likelihood.json: a list of {"model", "texts": [{"ids", "from"}], "log_probabilities" of the tokens [from, end) of each, "config"}.
cloze.json: a list of {"model", "texts": [{"ids", "masks", "words"}], "log_probabilities" [texts][words][masks]}.
processors.json: a list of {"options", "prompt" (length), "ids", "scores" [vocab], "expected" [vocab], null for -inf}.
"""

import json
from pathlib import Path

import torch
import transformers as hf

torch.set_num_threads(1)
hf.logging.set_verbosity_error()

MODELS = Path(__file__).resolve().parents[2] / "tests" / "goldens" / "models"
TYPES = ("gpt2", "gpt_neox", "llama", "qwen2", "qwen3", "smollm3", "gemma", "gemma2", "gemma3_text", "phi3")
EOS = 5
BEAMS = [
    dict(num_beams=2),
    dict(num_beams=3, length_penalty=2.0),
    dict(num_beams=4, length_penalty=-1.0, early_stopping=True),
    dict(num_beams=3, early_stopping="never"),
    dict(num_beams=2, length_penalty=0.0, early_stopping="never", repetition_penalty=1.3),
]
OTHER = [dict(repetition_penalty=1.5), dict(no_repeat_ngram_size=2), dict(min_new_tokens=4), dict(num_beams=2, no_repeat_ngram_size=2, min_new_tokens=3)]


def generate(model, prompt, options):
    """One prompt alone, so that no padding is involved."""
    ids = torch.tensor([prompt])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), return_dict_in_generate=True, output_scores=True, pad_token_id=0, **options)
    return out.sequences[0, len(prompt):].tolist(), float(out.sequences_scores[0]) if "sequences_scores" in out else None


def is_stable(model, prompt, options, made):
    """Whether weights that differ in the last bits give the same ids."""
    generator = torch.Generator().manual_seed(1)
    kept = [parameter.clone() for parameter in model.parameters()]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 + 1e-5 * torch.randn(parameter.shape, generator=generator))
        same = generate(model, prompt, options)[0] == made
        for parameter, value in zip(model.parameters(), kept):
            parameter.copy_(value)
    return same


def case(name, model, options, lengths=(4, 1, 3)):
    options = dict(max_new_tokens=8, do_sample=False, eos_token_id=EOS) | options
    prompts, ids, scores = [], [], []
    for number, length in enumerate(lengths):
        for seed in range(20):
            generator = torch.Generator().manual_seed(100 * number + seed)
            prompt = torch.randint(1, model.config.vocab_size, (length,), generator=generator).tolist()
            made, score = generate(model, prompt, options)
            if is_stable(model, prompt, options, made):
                break
        else:
            raise SystemExit(f"{name}: no prompt is stable under {options}")
        prompts.append(prompt)
        ids.append(made)
        scores.append(score)
    return dict(model=name, prompts=prompts, options=options, ids=ids) | (dict(scores=scores) if options.get("num_beams", 1) > 1 else {})


def load(name, **changes):
    config = hf.AutoConfig.from_pretrained(MODELS / name)
    for key, value in changes.items():
        setattr(config, key, value)
    model = hf.AutoModelForCausalLM.from_pretrained(MODELS / name, config=config, attn_implementation="eager", dtype=torch.float32).eval()
    model.generation_config = hf.GenerationConfig()
    return model


def generation_cases():
    cases = []
    for model_type in TYPES:
        name = f"{model_type}_causal_lm"
        model = load(name)
        cases.append(case(name, model, dict(eos_token_id=None)))
        for options in BEAMS if model_type in ("gpt2", "llama", "qwen2", "gemma2") else BEAMS[:1]:
            cases.append(case(name, model, options))
        if model_type in ("gpt2", "llama"):
            cases += [case(name, model, options) for options in OTHER]
    changed = dict(max_position_embeddings=6, rope_parameters=dict(rope_type="dynamic", rope_theta=1e4, factor=2.0))
    model = load("llama_causal_lm", **changed)
    cases += [case("llama_causal_lm", model, options) | dict(config=changed) for options in (dict(eos_token_id=None), BEAMS[0])]
    return cases


def processor_cases():
    generator = torch.Generator().manual_seed(3)
    cases = []
    for options in (dict(temperature=0.7), dict(top_k=5), dict(top_p=0.8), dict(min_p=0.1), dict(temperature=1.7, top_k=20, top_p=0.9, min_p=0.02),
                    dict(top_p=0.3, num_beams=2), dict(top_k=1, num_beams=3), dict(min_p=0.9, num_beams=2), dict(repetition_penalty=1.4, top_k=0),
                    dict(repetition_penalty=0.8, no_repeat_ngram_size=2, temperature=0.5), dict(min_new_tokens=3), dict(no_repeat_ngram_size=1)):
        config = hf.GenerationConfig(do_sample=True, eos_token_id=[EOS], max_length=20, **(dict(top_k=0) | options))
        config._eos_token_tensor = torch.tensor([EOS])
        ids = torch.randint(0, 24, (1, 8), generator=generator)
        ids[0, 7] = ids[0, 2]
        scores = torch.randn((1, 24), generator=generator) * 2
        model = hf.GPT2LMHeadModel(hf.GPT2Config(vocab_size=24, n_positions=16, n_embd=8, n_layer=1, n_head=1))
        processors = model._get_logits_processor(config, input_ids_seq_length=6, device="cpu", model_kwargs=dict(attention_mask=torch.ones_like(ids)))
        expected = processors(ids, scores.clone())
        cases.append(dict(options=dict(do_sample=True, eos_token_id=EOS, top_k=0) | options, prompt=6, ids=ids[0].tolist(), scores=scores[0].tolist(),
                          expected=[None if value == -torch.inf else float(value) for value in expected[0]]))
    return cases


def log_probabilities(model, ids, begin):
    with torch.no_grad():
        log_p = torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), dim=-1)
    return [float(log_p[i - 1, ids[i]]) for i in range(begin, len(ids))]


def likelihood_case(name, config=None):
    """Texts that share beginnings, one that is the beginning of another, one that is scored as a whole, and one alone. Each meets a model of its own: the
    reference keeps the dynamic frequencies of the longest text that it has seen."""
    generator = torch.Generator().manual_seed(len(name))
    draw = lambda count: torch.randint(1, 32, (count,), generator=generator).tolist()
    common, branch = draw(5), draw(2)
    texts = [(common + [7], 5), (common + [9], 5), (common + branch + draw(2), 7), (common + branch, 5), (common + branch + draw(3), 1), (draw(4), 2), (draw(9), 1)]
    case = dict(model=name, texts=[{"ids": ids, "from": begin} for ids, begin in texts],
                log_probabilities=[log_probabilities(load(name, **(config or {})), ids, begin) for ids, begin in texts])
    return case | (dict(config=config) if config else {})


def likelihood_cases():
    cases = [likelihood_case(f"{model_type}_causal_lm") for model_type in TYPES]
    changed = dict(max_position_embeddings=6, rope_parameters=dict(rope_type="dynamic", rope_theta=1e4, factor=2.0))
    return cases + [likelihood_case("llama_causal_lm", changed)]


def cloze_case(name):
    model = hf.AutoModelForMaskedLM.from_pretrained(MODELS / name, attn_implementation="eager", dtype=torch.float32).eval()
    generator = torch.Generator().manual_seed(len(name))
    texts, expected = [], []
    for length, masks in ((6, [3]), (9, [1, 5]), (4, [0])):
        ids = torch.randint(5, model.config.vocab_size, (length,), generator=generator).tolist()
        words = torch.randint(5, model.config.vocab_size, (3, len(masks)), generator=generator).tolist()
        for mask in masks:
            ids[mask] = 4
        with torch.no_grad():
            log_p = torch.log_softmax(model(torch.tensor([ids])).logits[0], dim=-1)
        texts.append(dict(ids=ids, masks=masks, words=words))
        expected.append([[float(log_p[mask, token]) for mask, token in zip(masks, word)] for word in words])
    return dict(model=name, texts=texts, log_probabilities=expected)


def cloze_cases():
    return [cloze_case(f"{model_type}_masked_lm") for model_type in ("bert", "distilbert", "electra", "roberta")]


def write(folder):
    for name, cases in (("cloze", cloze_cases()), ("likelihood", likelihood_cases()), ("generate", generation_cases()), ("processors", processor_cases())):
        lines = ",\n".join(json.dumps(one) for one in cases)
        (folder / f"{name}.json").write_text(f"[\n{lines}\n]\n")
