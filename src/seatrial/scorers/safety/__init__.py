"""Behaviour: refusals, personal data, secrets, leaks, injections, harm, bias, policy."""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "advice": "seatrial.scorers.safety.policy:Advice",
    "bias_pairs": "seatrial.scorers.safety.bias:BiasPairs",
    "canary_leak": "seatrial.scorers.safety.leaks:CanaryLeak",
    "harm_policy": "seatrial.scorers.safety.harm:HarmPolicy",
    "injection_obedience": "seatrial.scorers.safety.injection:InjectionObedience",
    "pii": "seatrial.scorers.safety.pii:Pii",
    "policy_compliance": "seatrial.scorers.safety.policy:PolicyCompliance",
    "prompt_leak": "seatrial.scorers.safety.leaks:PromptLeak",
    "refusal": "seatrial.scorers.safety.refusal:Refusal",
    "secrets": "seatrial.scorers.safety.pii:Secrets",
    "toxicity": "seatrial.scorers.safety.harm:Toxicity",
}
"""Name: `module:class`."""
