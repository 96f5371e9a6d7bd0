"""The names of metrics elsewhere, as of DeepEval 4.3, ragas 0.4, promptfoo 0.121 and FutureAGI of autumn 2026."""

from __future__ import annotations

NAMES: dict[str, list[str]] = {
    "article": [
        *("Groundedness", "Answer Relevance", "Tool Correctness", "Task Completion", "Hallucination", "PII"),
        *("Toxicity", "Refusal Calibration", "Tool-call accuracy", "Format compliance", "Latency", "Cost", "Safety"),
        *("Prompt injection", "Brand voice", "Exact match", "extraction_scorer", "classification_scorer"),
        *("BLEU", "ROUGE", "llm-rubric", "similar", "is-json"),
    ],
    "deepeval": [
        *("ExactMatch", "PatternMatch", "GEval", "ArenaGEval", "ConversationalGEval", "DAGMetric"),
        *("ConversationalDAGMetric", "AnswerRelevancy", "Faithfulness", "ContextualRecall", "ContextualRelevancy"),
        *("ContextualPrecision", "Hallucination", "Bias", "Toxicity", "Summarization", "PIILeakage", "NonAdvice"),
        *("Misuse", "RoleViolation", "RoleAdherence", "ToolPermission", "ToolCorrectness", "JsonCorrectness"),
        *("PromptAlignment", "TaskCompletion", "ArgumentCorrectness", "KnowledgeRetention", "TopicAdherence"),
        *("StepEfficiency", "PlanAdherence", "PlanQuality", "ToolUse", "GoalAccuracy", "AgentLoopDetection"),
        *("TurnRelevancy", "ConversationCompleteness", "TurnFaithfulness", "TurnContextualPrecision"),
        *("TurnContextualRecall", "TurnContextualRelevancy", "MCPTaskCompletion", "MultiTurnMCPUse", "MCPUse"),
        *("TextToImage", "ImageEditing", "ImageCoherence", "ImageHelpfulness", "ImageReference"),
        *("VoiceNaturalness", "TurnTakingNaturalness", "SpeechIntelligibility", "VoiceConsistency"),
        *("AgentResponsiveness", "AudioIntegrity", "VoiceReliability", "TranscriptionAccuracy", "AudioGlitch"),
        *("JevEval", "ConversationalJevEval", "Verdict", "Expectations"),
    ],
    "ragas": [
        *("AnswerAccuracy", "AnswerCorrectness", "AnswerRelevancy", "BleuScore", "ContextEntityRecall"),
        *("ContextRecall", "ContextPrecision", "ContextPrecisionWithReference", "ContextPrecisionWithoutReference"),
        *("ContextRelevance", "ContextUtilization", "ExactMatch", "FactualCorrectness", "Faithfulness"),
        *("NoiseSensitivity", "NonLLMStringSimilarity", "ResponseGroundedness", "RougeScore", "SemanticSimilarity"),
        *("StringPresence", "SummaryScore", "FaithfulnesswithHHEM", "IDBasedContextPrecision", "IDBasedContextRecall"),
        *("NonLLMContextPrecision", "NonLLMContextRecall", "AspectCritic", "SimpleCriteriaScore", "RubricsScore"),
        *("InstanceRubrics", "ChrfScore", "DataCompyScore", "LLMSQLEquivalence", "AgentGoalAccuracyWithReference"),
        *("AgentGoalAccuracyWithoutReference", "ToolCallAccuracy", "ToolCallF1", "TopicAdherenceScore"),
        *("MultiModalFaithfulness", "MultiModalRelevance", "DiscreteMetric", "NumericMetric", "RankingMetric"),
    ],
    "promptfoo": [
        *("equals", "contains", "icontains", "contains-any", "contains-all", "icontains-any", "icontains-all"),
        *("starts-with", "regex", "is-json", "contains-json", "is-xml", "contains-xml", "is-html", "contains-html"),
        *("is-sql", "contains-sql", "is-valid-function-call", "is-valid-openai-function-call"),
        *("is-valid-openai-tools-call", "tool-call-f1", "finish-reason", "latency", "cost", "perplexity"),
        *("perplexity-score", "levenshtein", "rouge-n", "bleu", "gleu", "meteor", "word-count", "similar"),
        *("similar:cosine", "similar:dot", "similar:euclidean", "classifier", "moderation", "guardrails"),
        *("is-refusal", "javascript", "python", "ruby", "webhook", "llm-rubric", "agent-rubric", "search-rubric"),
        *("model-graded-closedqa", "factuality", "model-graded-factuality", "g-eval", "answer-relevance"),
        *("context-recall", "context-relevance", "context-faithfulness", "conversation-relevance", "pi", "skill-used"),
        *("trajectory:tool-used", "trajectory:tool-args-match", "trajectory:tool-sequence", "trajectory:step-count"),
        *("trajectory:goal-success", "trace-span-count", "trace-span-duration", "trace-error-spans", "select-best"),
        *("max-score", "human", "assert-set", "promptfoo:redteam"),
    ],
    "futureagi": [
        *("regex", "contains", "contains_all", "contains_any", "contains_none", "one_line", "contains_email"),
        *("is_email", "contains_link", "contains_valid_link", "equals", "starts_with", "ends_with"),
        *("length_less_than", "length_greater_than", "length_between", "contains_json", "is_json", "json_schema"),
        *("bleu_score", "rouge_score", "recall_score", "levenshtein_similarity", "numeric_similarity"),
        *("embedding_similarity", "semantic_list_contains", "faithfulness", "claim_support", "factual_consistency"),
        *("contradiction_detection", "hallucination_score", "context_recall", "context_precision"),
        *("context_entity_recall", "noise_sensitivity", "ndcg", "mrr", "precision_at_k", "recall_at_k"),
        *("answer_relevancy", "context_utilization", "context_relevance_to_response", "rag_faithfulness"),
        *("rag_faithfulness_with_reference", "groundedness", "multi_hop_reasoning", "source_attribution"),
        *("citation_presence", "rag_score", "rag_score_detailed", "schema_compliance", "type_compliance"),
        *("field_completeness", "required_fields", "field_coverage", "hierarchy_score", "tree_edit_distance"),
        *("json_validation", "json_syntax", "structured_output_score", "quick_structured_check"),
        *("function_name_match", "parameter_validation", "function_call_accuracy", "function_call_exact_match"),
        *("task_completion", "step_efficiency", "tool_selection_accuracy", "trajectory_score", "goal_progress"),
        *("action_safety", "reasoning_quality", "code_security"),
        *("toxicity", "bias_detection", "content_moderation", "content_safety_violation", "pii", "prompt_injection"),
        *("data_privacy_compliance", "sexist", "no_gender_bias", "no_racial_bias", "no_age_bias"),
        *("is_harmful_advice", "clinically_inappropriate_tone", "no_harmful_therapeutic_guidance", "is_compliant"),
        *("cultural_sensitivity", "answer_refusal", "protect_flash", "factual_accuracy", "detect_hallucination"),
        *("conversation_hallucination", "is_factually_consistent", "context_adherence", "context_relevance"),
        *("chunk_utilization", "chunk_attribution", "completeness", "ground_truth_match", "eval_ranking"),
        *("prompt_adherence", "prompt_instruction_adherence", "is_helpful", "is_concise", "summary_quality"),
        *("is_good_summary", "tone", "is_polite", "is_informal_tone", "no_apologies", "no_llm_reference"),
        *("contains_code", "text_to_sql", "evaluate_function_calling", "translation_accuracy"),
        *("deterministic_evals", "conversation_coherence", "conversation_resolution"),
        *("customer_agent_clarification_seeking", "customer_agent_context_retention"),
        *("customer_agent_conversation_quality", "customer_agent_human_escalation"),
        *("customer_agent_interruption_handling", "customer_agent_language_handling", "customer_agent_loop_detection"),
        *("customer_agent_objection_handling", "customer_agent_prompt_conformance", "customer_agent_query_handling"),
        *("customer_agent_task_completion", "customer_agent_termination_handling", "image_instruction_adherence"),
        *("caption_hallucination", "synthetic_image_evaluator", "ocr_evaluation", "ASR/STT_accuracy"),
        *("TTS_accuracy", "audio_quality", "word_count_in_range", "sentence_count", "readability_score"),
        *("json_scheme_validation", "json_diff", "is_xml", "is_html", "is_sql", "is_url", "no_invalid_links"),
        *("syntax_validation", "code_complexity", "latency_check", "api_call", "custom_code_evaluation", "is_refusal"),
        *("regex_pii_detection", "bleu", "gleu", "meteor", "chrf", "rouge", "code_bleu", "translation_edit_rate"),
        *("levenshtein", "hamming", "jaccard", "jaro_winkler", "fuzzy_match", "answer_similarity", "squad_score"),
        *("f1_score", "distinct_n", "type_token_ratio", "repetition_rate", "accuracy", "balanced_accuracy"),
        *("precision_score", "f_beta_score", "matthews_correlation", "cohen_kappa", "fleiss_kappa", "log_loss"),
        *("pearson", "spearman", "r2_score", "rmse", "hit_rate", "ndcg_at_k", "mean_average_precision"),
        *("non_llm_context_precision", "non_llm_context_recall", "tool_call_accuracy", "trajectory_match"),
        *("step_count", "word_error_rate", "character_error_rate", "match_error_rate", "word_info_lost"),
        *("word_info_preserved", "dead_air_detection", "clip_score", "fid_score", "ssim", "psnr"),
        "image_properties",
    ],
}
"""Tool: the names of its metrics."""

_PREDICTIONS = "an aggregate over a rubric's scores, not a score of one output"
REASONS = {
    "media": "it judges images or sound; outputs here are text, calls and state",
    "network": "it opens a connection for every answer, so that its score depends on the day and the network",
    "mixture": "one number mixed from others by fixed weights hides which of them changed: name the parts as rubrics",
    "statistics": "agreement and errors of a judge or labels are statistics over many items, not a score of one output",
    "model": "it needs the likelihoods of a model, which few providers give",
    "vendor": "it is a vendor's own model behind a network service; any model can be a judge here",
    "code": "it runs or analyses code; code is judged by its tests",
    "keywords": 'it counts words like "because", which says nothing about reasoning',
    "dictionary": "it needs a thesaurus of English; `chrf` and the embedding's nearness serve all languages",
    "person": "verdicts of people are labels of a dataset, by which judges are measured",
    "relative": "it ranks the answers of one row and says nothing about whether any is good enough",
}
"""A reason that many names share."""

_CRITERIA = (
    "deepeval:PromptAlignment deepeval:TopicAdherence deepeval:PlanAdherence deepeval:PlanQuality "
    "ragas:TopicAdherenceScore futureagi:prompt_adherence futureagi:prompt_instruction_adherence futureagi:is_helpful "
    "futureagi:is_concise futureagi:is_polite futureagi:is_informal_tone futureagi:clinically_inappropriate_tone "
    "futureagi:cultural_sensitivity futureagi:contains_code futureagi:multi_hop_reasoning "
    "futureagi:customer_agent_clarification_seeking futureagi:customer_agent_conversation_quality "
    "futureagi:customer_agent_human_escalation futureagi:customer_agent_language_handling "
    "futureagi:customer_agent_objection_handling futureagi:customer_agent_termination_handling"
)
_BY_REFERENCE = (
    "promptfoo:factuality promptfoo:model-graded-factuality ragas:AnswerAccuracy futureagi:factual_accuracy "
    "futureagi:translation_accuracy"
)

WITH: dict[str, str] = {
    **{
        f"{tool}:{name}": f"[`{scorer}`]({scorer}.md)" + (f" {how}" if how else "")
        for scorer, how, names in (
            ("tool_calls", "", "deepeval:ToolUse deepeval:MCPUse deepeval:MultiTurnMCPUse"),
            ("tool_calls", "", "futureagi:function_call_accuracy futureagi:evaluate_function_calling"),
            (
                "tool_calls",
                "with `check_tools`, which holds calls against the tools' schemas",
                "promptfoo:is-valid-function-call",
            ),
            ("tool_calls", "with `check_tools`", "promptfoo:is-valid-openai-function-call"),
            ("tool_calls", "", "futureagi:tool_call_accuracy"),
            ("tool_f1", "", "promptfoo:tool-call-f1 futureagi:function_name_match"),
            ("tool_order", "", "promptfoo:trajectory:tool-sequence"),
            ("tool_arguments", "", "promptfoo:trajectory:tool-args-match"),
            ("tool_calls", "with `order: superset`", "promptfoo:trajectory:tool-used promptfoo:skill-used"),
            ("efficiency", "", "promptfoo:trajectory:step-count futureagi:step_count"),
            ("forbidden_calls", "", "deepeval:ToolPermission"),
            ("loops", "", "deepeval:AgentLoopDetection"),
            (
                "task_completion",
                "",
                "deepeval:GoalAccuracy deepeval:MCPTaskCompletion promptfoo:trajectory:goal-success",
            ),
            ("task_completion", "", "ragas:AgentGoalAccuracyWithReference futureagi:customer_agent_task_completion"),
            ("task_completion", "judged by milestones or state of the case", "ragas:AgentGoalAccuracyWithoutReference"),
            ("exact", "", "deepeval:ExactMatch futureagi:equals"),
            ("starts_with", "", "promptfoo:starts-with futureagi:starts_with"),
            ("ends_with", "", "futureagi:ends_with"),
            ("contains", "", "futureagi:contains"),
            ("regex", "", "promptfoo:regex futureagi:regex"),
            ("json_schema", "", "article:is-json futureagi:json_schema futureagi:schema_compliance"),
            ("json_schema", "", "futureagi:type_compliance futureagi:required_fields futureagi:json_validation"),
            ("json_schema", "", "futureagi:json_scheme_validation futureagi:hierarchy_score"),
            ("json_valid", "", "futureagi:is_json futureagi:json_syntax"),
            ("json_diff", "", "futureagi:json_diff"),
            ("fields", "", "futureagi:field_completeness futureagi:field_coverage"),
            ("bleu", "", "article:BLEU futureagi:bleu"),
            ("rouge_l", "", "article:ROUGE futureagi:rouge"),
            ("rouge_l", "with `measure: recall`", "futureagi:recall_score"),
            ("rouge_l", "", "futureagi:f1_score futureagi:squad_score"),
            ("chrf", "", "futureagi:chrf"),
            ("fuzzy", "", "futureagi:levenshtein futureagi:levenshtein_similarity futureagi:fuzzy_match"),
            ("fuzzy", "", "futureagi:jaro_winkler futureagi:answer_similarity"),
            ("fuzzy", "with `method: token_set`", "futureagi:jaccard"),
            ("embedding_similarity", "", "article:similar promptfoo:similar:cosine"),
            (
                "retrieval_recall",
                "by ids or texts that the case expects",
                "deepeval:ContextualRecall ragas:ContextRecall",
            ),
            ("retrieval_recall", "", "promptfoo:context-recall futureagi:context_recall futureagi:hit_rate"),
            ("retrieval_recall", "", "ragas:NonLLMContextRecall futureagi:non_llm_context_recall"),
            ("retrieval_recall", "", "ragas:ContextEntityRecall futureagi:context_entity_recall"),
            ("retrieval_precision", "", "deepeval:ContextualPrecision ragas:ContextPrecision"),
            ("retrieval_precision", "", "ragas:ContextPrecisionWithReference ragas:NonLLMContextPrecision"),
            ("retrieval_precision", "", "futureagi:context_precision futureagi:non_llm_context_precision"),
            ("retrieval_ndcg", "", "futureagi:mean_average_precision"),
            ("groundedness", "", "deepeval:TurnFaithfulness futureagi:claim_support futureagi:rag_faithfulness"),
            ("groundedness", "", "futureagi:rag_faithfulness_with_reference futureagi:is_factually_consistent"),
            ("hallucination", "", "futureagi:factual_consistency futureagi:conversation_hallucination"),
            ("context_use", "", "futureagi:context_relevance_to_response"),
            ("policy_compliance", "", "futureagi:no_harmful_therapeutic_guidance"),
            (
                "bias_pairs",
                "by pairs of cases that differ in one trait",
                "futureagi:no_gender_bias futureagi:no_racial_bias",
            ),
            ("bias_pairs", "by pairs of cases that differ in one trait", "futureagi:no_age_bias futureagi:sexist"),
            ("turn_relevance", "", "promptfoo:conversation-relevance futureagi:conversation_coherence"),
            ("resolution", "", "futureagi:customer_agent_query_handling"),
            ("brand_voice_judge", "", "futureagi:tone"),
            ("criteria", "with a criterion in your words", _CRITERIA),
            ("criteria", "", "article:llm-rubric deepeval:Verdict deepeval:Expectations ragas:DiscreteMetric"),
            ("criteria", "with the reference in the case", _BY_REFERENCE),
            ("grade", "", "ragas:NumericMetric"),
            ("xml_valid", "", "futureagi:is_xml"),
            ("html_valid", "", "futureagi:is_html"),
            ("sql", "", "futureagi:is_sql"),
            ("reading_level", "", "futureagi:readability_score"),
            ("repetition", "", "futureagi:distinct_n futureagi:type_token_ratio futureagi:repetition_rate"),
            ("completeness", "", "ragas:AnswerCorrectness futureagi:ground_truth_match"),
        )
        for tool, _, name in (one.partition(":") for one in names.split())
    },
    "article:Tool-call accuracy": "[`tool_calls`](tool_calls.md)",
    "article:Exact match": "[`exact`](exact.md)",
    "article:Brand voice": "[`brand_voice_judge`](brand_voice_judge.md) and the lints of wording",
    "article:Safety": "one rubric for each risk: `pii`, `secrets`, `canary_leak`, `injection`, `toxicity`, `refusal`",
    "article:Format compliance": "`json_schema`, `json_valid`, `regex`, `length` and the scorers of Markdown, XML, SQL",
    "deepeval:PatternMatch": "[`regex`](regex.md)",
    "ragas:ExactMatch": "[`exact`](exact.md)",
    "ragas:StringPresence": "[`contains`](contains.md)",
    "promptfoo:icontains": "[`contains`](contains.md), which ignores case unless told otherwise",
    "promptfoo:contains": "[`contains`](contains.md) with `ignore_case: false`",
    "promptfoo:contains-any": "[`contains`](contains.md) with `mode: any, ignore_case: false`",
    "promptfoo:contains-all": "[`contains`](contains.md) with `mode: all, ignore_case: false`",
    "promptfoo:icontains-any": "[`contains`](contains.md) with `mode: any`",
    "promptfoo:icontains-all": "[`contains`](contains.md) with `mode: all`",
    "promptfoo:python": "`python:module:function` ([scorers.md](../scorers.md#your-own))",
    "promptfoo:contains-json": "[`json_schema`](json_schema.md) with `fenced: true`; [`fields`](fields.md) finds an "
    "object within prose",
    "promptfoo:assert-set": "several rubrics: each is its own row of the report",
    "promptfoo:finish-reason": "an output that was cut, filtered or refused is a `model_failure` for every scorer",
    "futureagi:contains_all": "[`contains`](contains.md) with `mode: all`",
    "futureagi:contains_any": "[`contains`](contains.md) with `mode: any`",
    "futureagi:contains_none": "[`contains`](contains.md) with `mode: none`",
    "futureagi:one_line": "[`length`](length.md) with `of: lines, max: 1`",
    "futureagi:length_less_than": "[`length`](length.md) with `max`",
    "futureagi:length_greater_than": "[`length`](length.md) with `min`",
    "futureagi:length_between": "[`length`](length.md) with `min` and `max`",
    "futureagi:word_count_in_range": "[`length`](length.md) with `of: words`",
    "promptfoo:word-count": "[`length`](length.md) with `of: words`",
    "futureagi:contains_email": "[`regex`](regex.md) with a pattern",
    "futureagi:is_email": "[`regex`](regex.md) with `mode: fullmatch`",
    "futureagi:contains_link": "[`regex`](regex.md) with a pattern",
    "futureagi:is_url": "[`regex`](regex.md) with `mode: fullmatch`",
    "futureagi:contains_json": "[`json_valid`](json_valid.md) with `fenced: true`",
    "futureagi:no_apologies": "[`contains`](contains.md) with `mode: none`",
    "futureagi:no_llm_reference": "[`contains`](contains.md) with `mode: none`",
    "futureagi:deterministic_evals": "any scorer that asks no judge",
    "futureagi:custom_code_evaluation": "`python:module:function` ([scorers.md](../scorers.md#your-own))",
    "futureagi:accuracy": f"a rubric's pass rate; {_PREDICTIONS}",
    "futureagi:balanced_accuracy": f"`aggregate: balanced_accuracy`; {_PREDICTIONS}",
    "futureagi:precision_score": f"`aggregate: f1:LABEL` with its confusion matrix; {_PREDICTIONS}",
    "futureagi:f_beta_score": f"`aggregate: macro_f1` or `f1:LABEL`; {_PREDICTIONS}",
    "futureagi:matthews_correlation": f"`aggregate: mcc`; {_PREDICTIONS}",
    "promptfoo:trace-span-duration": "[`latency`](latency.md) of the whole answer",
}
"""`tool:name`: how it is reached here, where a card alone does not say it."""

ABSENT: dict[str, str] = {
    **dict.fromkeys(
        (
            *(f"deepeval:{n}" for n in ("TextToImage", "ImageEditing", "ImageCoherence", "ImageHelpfulness")),
            *(f"deepeval:{n}" for n in ("ImageReference", "VoiceNaturalness", "TurnTakingNaturalness")),
            *(f"deepeval:{n}" for n in ("SpeechIntelligibility", "VoiceConsistency", "AgentResponsiveness")),
            *(f"deepeval:{n}" for n in ("AudioIntegrity", "VoiceReliability", "TranscriptionAccuracy", "AudioGlitch")),
            *(f"ragas:{n}" for n in ("MultiModalFaithfulness", "MultiModalRelevance")),
            *(f"futureagi:{n}" for n in ("image_instruction_adherence", "caption_hallucination")),
            *(f"futureagi:{n}" for n in ("synthetic_image_evaluator", "ocr_evaluation", "ASR/STT_accuracy")),
            *(f"futureagi:{n}" for n in ("TTS_accuracy", "audio_quality", "word_error_rate", "character_error_rate")),
            *(f"futureagi:{n}" for n in ("match_error_rate", "word_info_lost", "word_info_preserved")),
            *(f"futureagi:{n}" for n in ("dead_air_detection", "clip_score", "fid_score", "ssim", "psnr")),
            *("futureagi:image_properties", "futureagi:customer_agent_interruption_handling"),
        ),
        "media",
    ),
    **dict.fromkeys(
        ("futureagi:contains_valid_link", "futureagi:no_invalid_links", "futureagi:api_call", "promptfoo:webhook"),
        "network",
    ),
    **dict.fromkeys(
        (
            *("futureagi:rag_score", "futureagi:rag_score_detailed", "futureagi:structured_output_score"),
            *("futureagi:quick_structured_check", "futureagi:trajectory_score"),
        ),
        "mixture",
    ),
    **dict.fromkeys(
        (
            *("futureagi:cohen_kappa", "futureagi:fleiss_kappa", "futureagi:log_loss", "futureagi:pearson"),
            *("futureagi:spearman", "futureagi:r2_score", "futureagi:rmse"),
        ),
        "statistics",
    ),
    **dict.fromkeys(("promptfoo:perplexity", "promptfoo:perplexity-score"), "model"),
    **dict.fromkeys(
        (
            *("promptfoo:pi", "promptfoo:guardrails", "promptfoo:moderation", "futureagi:protect_flash"),
            "ragas:FaithfulnesswithHHEM",
        ),
        "vendor",
    ),
    **dict.fromkeys(
        (
            *("futureagi:code_security", "futureagi:code_bleu", "futureagi:syntax_validation"),
            *("futureagi:code_complexity", "ragas:DataCompyScore"),
        ),
        "code",
    ),
    **dict.fromkeys(
        (
            *("deepeval:ContextualRelevancy", "deepeval:TurnContextualRelevancy", "ragas:ContextRelevance"),
            *("promptfoo:context-relevance", "futureagi:context_relevance", "ragas:ContextPrecisionWithoutReference"),
            *("deepeval:TurnContextualPrecision", "deepeval:TurnContextualRecall"),
        ),
        "whether a document would help is guessed there by a model without a reference: say which ones a case should "
        "find, and `retrieval_precision` counts; `criteria` puts the guess to a judge",
    ),
    **dict.fromkeys(
        ("ragas:NoiseSensitivity", "futureagi:noise_sensitivity"),
        "it compares answers with and without noise: two arms of a trial, or two strata of cases",
    ),
    **dict.fromkeys(
        ("ragas:LLMSQLEquivalence", "futureagi:text_to_sql"),
        "whether two queries give equal rows is seen by running them: a `python:` scorer with your database",
    ),
    **dict.fromkeys(
        ("promptfoo:similar:dot", "promptfoo:similar:euclidean"),
        "of unit vectors it orders answers as the cosine does: `embedding_similarity`",
    ),
    **dict.fromkeys(
        ("promptfoo:gleu", "futureagi:gleu"), "it is BLEU for one sentence: `bleu` smooths, `chrf` is better"
    ),
    "futureagi:translation_edit_rate": "`chrf` follows people's judgement of translations more closely",
    "futureagi:sentence_count": "where a sentence ends is not sure in all languages: `length` counts words or lines",
    "futureagi:hamming": "it compares texts of equal length, which answers are not",
    "futureagi:semantic_list_contains": "an embedding's nearness to a word is no sign that the answer says it",
    "futureagi:tree_edit_distance": "`json_diff` names every path that differs, which a distance does not",
    "futureagi:reasoning_quality": "keywords",
    "futureagi:goal_progress": "it counts the goal's words in the answer, which an answer that fails has as well",
    **dict.fromkeys(("promptfoo:meteor", "futureagi:meteor"), "dictionary"),
    "promptfoo:human": "person",
    **dict.fromkeys(("promptfoo:max-score", "ragas:RankingMetric", "futureagi:eval_ranking"), "relative"),
    **dict.fromkeys(
        ("promptfoo:javascript", "promptfoo:ruby"),
        "scorers of your own are Python; another language is a program apart",
    ),
    "promptfoo:promptfoo:redteam": "its plug-ins grade their own attacks; here a case's probe says what must not be",
    **dict.fromkeys(
        ("promptfoo:agent-rubric", "promptfoo:search-rubric"),
        "a judge with tools or a search cannot draw its verdict again; give what it should know as context",
    ),
    **dict.fromkeys(
        ("promptfoo:trace-span-count", "promptfoo:trace-error-spans"),
        "spans of a service are no part of an output; steps are, which the scorers of trajectories judge",
    ),
    **dict.fromkeys(
        ("deepeval:JevEval", "deepeval:ConversationalJevEval"),
        "it distils a judge of its own, which is a matter of judges' calibration and not of a scorer",
    ),
}
"""`tool:name`: a key of REASONS, or the reason itself, for what is left out on purpose."""
