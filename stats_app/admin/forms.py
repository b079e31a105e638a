"""The base class of the admin's forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]  # only the stubs have a type parameter
else:
    _ModelForm = forms.ModelForm


class ModelForm(_ModelForm):
    def _get_validation_exclusions(self) -> set[str]:
        """Also validates the workspace of a stored row, which the form only shows. Otherwise Django would leave out the
        constraints with it, such as the unique e-mails of a workspace."""
        exclude: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # missing in the stubs
        return exclude if self.instance.pk is None else exclude - {"workspace"}
