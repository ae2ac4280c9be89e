"""The accounting of disclosures that a patient may ask for (45 CFR 164.528)."""
