"""The base class of the admin's forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.functional import cached_property

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]  # only the stubs have a type parameter
else:
    _ModelForm = forms.ModelForm


class ModelForm(_ModelForm):
    """A form that changes only what the user has changed.

    The row may have been changed since the form was shown: the person may have opted out, or the key may have been
    rotated. So the form also sends the values that it showed, and a field with the same value is left as it is.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = self.instance.pk is not None

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name, bound in self._bound_items() if self._is_changed(bound)]  # type: ignore[attr-defined]  # missing in the stubs

    def _is_changed(self, bound: forms.BoundField) -> bool:
        """Whether the value differs from the row's, and from the value that was shown if that was sent."""
        if not bound.field.has_changed(bound.initial, bound.data):
            return False
        return self.shown(bound) is None or bound._has_changed()  # type: ignore[attr-defined]  # missing in the stubs

    def shown(self, bound: forms.BoundField) -> Any:
        """The value that the form showed before it was changed; None if it was not sent."""
        widget = bound.field.hidden_widget()
        if widget.value_omitted_from_data(self.data, self.files, bound.html_initial_name):
            return None
        return widget.value_from_datadict(self.data, self.files, bound.html_initial_name)

    def _get_validation_exclusions(self) -> set[str]:
        """Also validates the workspace of a stored row, which the form only shows. Otherwise Django would leave out the
        constraints with it, such as the unique e-mails of a workspace."""
        exclude: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # missing in the stubs
        return exclude if self.instance.pk is None else exclude - {"workspace"}
