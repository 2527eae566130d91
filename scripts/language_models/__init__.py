"""What the scripts that make small language models share: vocabularies, texts, labelled examples in context, runs of attune."""
