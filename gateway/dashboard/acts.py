"""What a person can do about a clearing, as forms that ask the API: its rules and its answers.

Each form has an idempotency key of its own, so that a button that is pressed twice acts once.
"""

from __future__ import annotations

from uuid import uuid4

from gateway.api.app import PREFIX
from gateway.dashboard.markup import Html, path, tag, text
from ledger.rows import Clearing

SCRIPT = """\
<script>
document.addEventListener('submit', async event => {
  const form = event.target.closest('form.act');
  if (!form) return;
  event.preventDefault();
  const told = form.querySelector('output'), button = form.querySelector('button');
  button.disabled = true;
  try {
    const answer = await fetch(form.action, {
      method: 'POST',
      headers: {'Content-Type': 'application/json', 'Idempotency-Key': form.dataset.key},
      body: JSON.stringify(Object.fromEntries(new FormData(form))),
    });
    const body = await answer.json();
    told.textContent = answer.ok ? 'Done: ' + body.explanation : body.detail || body.title;
    told.className = answer.ok ? 'said good' : 'said bad';
    if (answer.ok) return;
  } catch (error) {
    told.textContent = 'Not reached: ' + error.message;
    told.className = 'said bad';
  }
  form.dataset.key = crypto.randomUUID ? crypto.randomUUID() : String(Math.random());
  button.disabled = false;
});
</script>
"""


def acts(clearing: Clearing) -> Html:
    """Match it; a credit can be written off as well."""
    match = _form(clearing, "match", "Match", _field("authorization_id", clearing.suggested_id))
    write_off = _form(clearing, "write-off", "Write off", "") if clearing.credit else ""
    return tag("details", tag("summary", "Resolve"), match, write_off)


def _form(clearing: Clearing, act: str, name: str, fields: Html) -> Html:
    place = path("accounts", clearing.account_id, "clearings", clearing.clearing_id, act)
    return tag(
        "form",
        fields,
        _field("reason", ""),
        tag("button", text(name), type="submit"),
        tag("output", aria_live="polite"),
        class_="act",
        action=f"{PREFIX}{place}",
        data_key=str(uuid4()),
    )


def _field(name: str, value: object) -> Html:
    label = name.replace("_id", "").capitalize()
    given = tag("input", name=name, value=str(value or ""), required="required", maxlength="200")
    return tag("label", text(label), given)
