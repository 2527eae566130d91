"""Models that attune makes from config.json alone beside those of Transformers' from_config: the same constant tensors (zeros, ones,
sines), the same rows of zeros, and normal tensors of the same deviation (each within 5 standard errors)."""
import json
import math
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))
import reference as ref

import torch
import transformers as hf
from safetensors.torch import load_file

hf.logging.set_verbosity_error()
args = ref.arguments()
TINY = ref.ROOT / "tests/goldens/app/tiny_bert"
VOCAB, WIDTH, DEVIATION = 163, 48, 0.05
BERT = dict(vocab_size=VOCAB, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
            max_position_embeddings=64, initializer_range=DEVIATION, pad_token_id=3)
CONFIGS = {
    "Bert": hf.BertConfig(**BERT),
    "DistilBert": hf.DistilBertConfig(vocab_size=VOCAB, dim=WIDTH, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=64,
                                      initializer_range=DEVIATION, pad_token_id=3, sinusoidal_pos_embds=True),
    "Electra": hf.ElectraConfig(**BERT, embedding_size=32),
}
ROWS = {
    "text-classification": [{"text": "my card is lost", "label": "card"}, {"text": "where is my refund", "label": "refund"}],
    "token-classification": [{"tokens": ["my", "card"], "ner_tags": ["O", "B-X"]}, {"tokens": ["refund"], "ner_tags": ["O"]}],
    "fill-mask": [{"text": "my card is lost"}, {"text": "where is my refund"}],
    "question-answering": [{"question": "what", "context": "my card is lost", "answers": {"text": ["card"], "answer_start": [3]}}] * 2,
}
CLASSES = {"text-classification": "ForSequenceClassification", "token-classification": "ForTokenClassification",
           "fill-mask": "ForMaskedLM", "question-answering": "ForQuestionAnswering"}


def compare(name, ours, theirs):
    ref.check(sorted(ours) == sorted(theirs), f"{name}: the same {len(ours)} tensors")
    for key, mine in ours.items():
        other = theirs[key]
        where = f"{name}: {key}"
        assert mine.shape == other.shape, where
        if mine.dim() < 2 or other.std() == 0 or (("position" in key) and name.startswith("DistilBert")):
            assert torch.allclose(mine, other, atol=1e-6), f"{where}: constant tensors differ"
            continue
        zero_rows = [set((x.abs().sum(1) == 0).nonzero().flatten().tolist()) for x in (mine, other)]
        assert zero_rows[0] == zero_rows[1], f"{where}: zero rows {zero_rows}"
        live = torch.stack([row for i, row in enumerate(mine) if i not in zero_rows[0]])
        n = live.numel()
        assert abs(live.mean()) < 5 * DEVIATION / math.sqrt(n), f"{where}: mean {live.mean()}"
        assert abs(live.std() - DEVIATION) < 5 * DEVIATION / math.sqrt(2 * n), f"{where}: deviation {live.std()}"
        assert not torch.equal(mine, other), where
    ref.check(True, f"{name}: distributed as the reference's")


with ref.workspace() as temporary:
    folder = Path(temporary)
    for stem, config in CONFIGS.items():
        base = folder / stem
        base.mkdir()
        (base / "config.json").write_text(json.dumps(config.to_dict()))
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(TINY / file, base / file)
        for task, rows in ROWS.items():
            data, out = folder / "rows.jsonl", folder / f"{stem}-{task}"
            ref.write_rows(data, rows)
            run = ref.write_config(folder / "run.json", model={"path": str(base), "init": "random", "task": task},
                                   data={"train": str(data), "max_length": 32, **({"doc_stride": 4} if "question" in task else {})},
                                   training={"eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False,
                                             "max_steps": 1, "warmup_steps": 1},  # the first step of a warm-up has rate 0
                                   seeds=[3], threads=1, output_dir=str(out))
            ref.run(args.attune, "train", run, "--quiet")
            cls = getattr(hf, stem + CLASSES[task])
            torch.manual_seed(0)
            reference = cls(hf.AutoConfig.from_pretrained(out))
            reference.save_pretrained(folder / "reference")
            compare(f"{stem} {task}", load_file(out / "model.safetensors"), load_file(folder / "reference/model.safetensors"))
