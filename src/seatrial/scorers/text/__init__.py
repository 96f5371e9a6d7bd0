"""Text and its form: equality, pieces, patterns, nearness, Markdown, language, style."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "bleu": "seatrial.scorers.text.overlap:Bleu",
    "brand_voice": "seatrial.scorers.text.brand_voice:BrandVoice",
    "chrf": "seatrial.scorers.text.overlap:Chrf",
    "contains": "seatrial.scorers.text.matching:Contains",
    "embedding_similarity": "seatrial.scorers.text.embedding:EmbeddingSimilarity",
    "ends_with": "seatrial.scorers.text.matching:EndsWith",
    "exact": "seatrial.scorers.text.matching:Exact",
    "fuzzy": "seatrial.scorers.text.similarity:Fuzzy",
    "html_valid": "seatrial.scorers.text.html_valid:HtmlValid",
    "language": "seatrial.scorers.text.language:Language",
    "length": "seatrial.scorers.text.matching:Length",
    "markdown": "seatrial.scorers.text.markdown:Markdown",
    "normalized": "seatrial.scorers.text.matching:Normalized",
    "reading_level": "seatrial.scorers.text.reading:ReadingLevel",
    "regex": "seatrial.scorers.text.regex:Regex",
    "repetition": "seatrial.scorers.text.repetition:Repetition",
    "rouge_l": "seatrial.scorers.text.overlap:RougeL",
    "same_language": "seatrial.scorers.text.language:SameLanguage",
    "sql": "seatrial.scorers.text.sql:Sql",
    "starts_with": "seatrial.scorers.text.matching:StartsWith",
    "xml_valid": "seatrial.scorers.text.xml_valid:XmlValid",
}
"""Name: `module:class`."""
