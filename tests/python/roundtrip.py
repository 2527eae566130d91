"""Prints a table: for every model type, what attune trained and saved (the whole model, adapters of all kinds, two merged ones; with
a head for classes and with the type's language head) opens in Transformers or PEFT, with which keys out of place and how far
logits are from `attune predict --logits`, log probabilities from `--token-logprobs`, probabilities of masked words from `predict`.

roundtrip.py --attune PROGRAM [TYPE…]: tiny random bases with the tokenizer of tests/goldens/app/tiny_bert. Exits 1 unless every row holds."""
import argparse
import json
import shutil
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import adapters
import reference as ref

import torch
import transformers as hf

warnings.filterwarnings("ignore")
hf.logging.set_verbosity_error()
hf.utils.logging.disable_progress_bar()
TINY = ref.ROOT / "tests/goldens/app/tiny_bert"
TEXTS = ["my card is lost", "where is my refund", "change my address please now"]
ALLOWED = 2e-5
POST = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=64)
PRE = dict(POST, num_key_value_heads=1, pad_token_id=0, bos_token_id=1, eos_token_id=2)
GEMMA = dict(PRE, head_dim=8)
BASES = {
    "bert": hf.BertConfig(**POST),
    "distilbert": hf.DistilBertConfig(dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=64),
    "electra": hf.ElectraConfig(**POST, embedding_size=8),
    "roberta": hf.RobertaConfig(**dict(POST, max_position_embeddings=66), pad_token_id=0),
    "xlm-roberta": hf.XLMRobertaConfig(**dict(POST, max_position_embeddings=66), pad_token_id=0),
    "gpt2": hf.GPT2Config(n_positions=64, n_embd=16, n_layer=2, n_head=2, pad_token_id=0, bos_token_id=1, eos_token_id=2),
    "gpt_neox": hf.GPTNeoXConfig(**POST, pad_token_id=0, bos_token_id=1, eos_token_id=2),
    "llama": hf.LlamaConfig(**PRE),
    "smollm3": hf.SmolLM3Config(**PRE, no_rope_layers=[1, 0]),
    "mistral": hf.MistralConfig(**PRE),
    "qwen2": hf.Qwen2Config(**PRE),
    "qwen3": hf.Qwen3Config(**PRE, head_dim=8),
    "gemma": hf.GemmaConfig(**GEMMA),
    "gemma2": hf.Gemma2Config(**GEMMA),
    "gemma3_text": hf.Gemma3TextConfig(**GEMMA),
    "phi3": hf.Phi3Config(**PRE),
}
METHODS = {
    "model": {"method": "full"},
    "LoRA": {"method": "lora", "lora": {"r": 4, "target_modules": "all-linear"}},
    "DoRA": {"method": "lora", "lora": {"r": 2, "use_dora": True, "target_modules": "all-linear"}},
    "IA3": {"method": "ia3", "ia3": {"target_modules": "all-linear", "feedforward_modules": ".*(output.dense|down_proj|mlp.c_proj|4h_to_h|lin2)"}},
    "prompt": {"method": "prompt_tuning", "prompt_tuning": {"num_virtual_tokens": 3, "prompt_tuning_init": "SAMPLE_VOCAB"}},
    "p-tuning": {"method": "p_tuning", "p_tuning": {"num_virtual_tokens": 3, "encoder_reparameterization_type": "LSTM", "encoder_hidden_size": 8}},
    "prefix": {"method": "prefix_tuning", "prefix_tuning": {"num_virtual_tokens": 3, "prefix_projection": True, "encoder_hidden_size": 8}},
}
MERGED = ["DoRA", "IA3"]


def takes(what, name, head):
    """Whether PEFT runs such an adapter on the type and its head."""
    if what in ("prompt", "p-tuning"):
        return head is not MaskedWords and name != "electra"  # whose embeddings are smaller than its layers here
    if what == "prefix":
        return head is not MaskedWords and name != "distilbert"
    return True


FILLS = 5  # candidates that `attune predict` names for a masked word


class Classes:
    """A head for three classes on a base that has none."""
    name, model_class, base_class, task, switches = "classes", hf.AutoModelForSequenceClassification, hf.AutoModel, "text-classification", ["--logits"]
    rows = [{"text": text, "label": text.split()[-1]} for text in TEXTS] * 8
    data = {}
    inputs = TEXTS

    @staticmethod
    def said(line, tokenizer):
        return line["logits"]

    @staticmethod
    def expected(ids, logits, line, tokenizer):
        return logits.tolist()


class NextWords:
    """The language head of a decoder: log probability of each token of a text but the first."""
    name, model_class, base_class, task, switches = "next words", hf.AutoModelForCausalLM, hf.AutoModelForCausalLM, "text-generation", ["--token-logprobs"]
    rows = [{"text": text} for text in TEXTS] * 8
    data = {"append_eos": False}  # the tokenizer has no such token
    inputs = TEXTS

    @staticmethod
    def said(line, tokenizer):
        return line["token_logprobs"]

    @staticmethod
    def expected(ids, logits, line, tokenizer):
        return logits[:-1].log_softmax(-1).gather(1, ids[1:, None]).squeeze(1).tolist()


class MaskedWords:
    """The language head of an encoder: the probabilities of the words that `attune predict` names for a mask."""
    name, model_class, base_class, task, switches = "masked words", hf.AutoModelForMaskedLM, hf.AutoModelForMaskedLM, "fill-mask", []
    rows = NextWords.rows
    data = {}
    inputs = [" ".join([*text.split()[:-1], "[MASK]"]) for text in TEXTS]

    @staticmethod
    def said(line, tokenizer):
        return [fill["score"] for fill in line["fills"][0]]

    @staticmethod
    def expected(ids, logits, line, tokenizer):
        probabilities = logits[ids.tolist().index(tokenizer.mask_token_id)].softmax(-1)
        named = tokenizer.convert_tokens_to_ids([fill["token"] for fill in line["fills"][0]])
        assert sorted(named) == sorted(probabilities.topk(FILLS).indices.tolist())
        return probabilities[named].tolist()


def heads_of(name):
    masked = type(BASES[name]) in hf.MODEL_FOR_MASKED_LM_MAPPING
    return [Classes, MaskedWords if masked else NextWords]


@dataclass
class Case:
    """One model type under one head, in a folder of its own."""
    program: str
    type: str
    head: type
    folder: Path

    @property
    def base(self):
        return self.folder / "base"

    def make_base(self):
        config = BASES[self.type]
        config.vocab_size = json.loads((TINY / "config.json").read_text())["vocab_size"]
        torch.manual_seed(1)
        self.head.base_class.from_config(config).save_pretrained(self.base)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(TINY / file, self.base / file)
        ref.write_rows(self.folder / "train.jsonl", self.head.rows)

    def train(self, what, tuning):
        config = ref.write_config(
            self.folder / "run.json", model={"path": str(self.base), "task": self.head.task},
            data={"train": str(self.folder / "train.jsonl"), "max_length": 32, **self.head.data}, tuning=tuning,
            training={"max_steps": 4, "learning_rate": 0.01, "per_device_train_batch_size": 8, "save_strategy": "no"}, seeds=[1],
            threads=1, output_dir=str(self.folder / what))
        ref.run(self.program, "train", config, "--quiet")

    def open_saved(self, what):
        if METHODS.get(what, METHODS["model"])["method"] != "full":
            return adapters.open_in_peft(self.folder / what, self.head.model_class)
        model, info = self.head.model_class.from_pretrained(self.folder / what, output_loading_info=True)
        return model, {key: value for key in ("missing_keys", "unexpected_keys", "mismatched_keys") if (value := info[key])}

    def difference(self, what, model):
        """The largest difference between what attune says of each input and what the opened model gives."""
        tokenizer = hf.PreTrainedTokenizerFast(tokenizer_file=str(self.base / "tokenizer.json"), pad_token="[PAD]", mask_token="[MASK]")
        said = ref.run(self.program, "predict", self.folder / what, *self.head.switches, "--quiet", stdin="\n".join(self.head.inputs) + "\n")
        worst = 0.0
        for text, said_line in zip(self.head.inputs, said.splitlines(), strict=True):
            line = json.loads(said_line)
            ids = torch.tensor(tokenizer(text)["input_ids"])
            with torch.no_grad():
                logits = model.eval()(input_ids=ids[None]).logits[0]
            logits = logits[-len(ids):] if logits.dim() == 2 else logits  # those of virtual tokens come first
            pairs = zip(self.head.said(line, tokenizer), self.head.expected(ids, logits, line, tokenizer), strict=True)
            worst = max([worst, *(abs(ours - theirs) for ours, theirs in pairs)])
        return worst

    def row(self, what):
        model, problems = self.open_saved(what)
        difference = self.difference(what, model)
        keys = ", ".join(f"{len(value)} {key}" for key, value in problems.items()) or "all fit"
        holds = not problems and difference <= ALLOWED
        print(f"{self.type:12} {self.head.name:13} {what:12} {keys:28} {difference:.1e}{'' if holds else '   FAILED'}", flush=True)
        return holds

    def rows(self):
        """How many of the rows fail."""
        self.make_base()
        failed = 0
        for what, tuning in METHODS.items():
            if not takes(what, self.type, self.head):
                continue
            self.train(what, tuning)
            failed += not self.row(what)
        for what in MERGED:
            ref.run(self.program, "merge", self.folder / what, "--output", self.folder / f"{what} merged")
            failed += not self.row(f"{what} merged")
        return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attune", required=True)
    parser.add_argument("types", nargs="*")
    args = parser.parse_args()
    print(f"{'type':12} {'head':13} {'what':12} {'keys':28} largest difference")
    failed = 0
    for name in args.types or BASES:
        for head in heads_of(name):
            with ref.workspace() as temporary:
                failed += Case(args.attune, name, head, Path(temporary)).rows()
    sys.exit(f"{failed} rows failed" if failed else 0)


if __name__ == "__main__":
    main()
