"""The gate of the API: reading is open to all (each record masks itself), writing needs an account with the scope."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.permissions import SAFE_METHODS, BasePermission

if TYPE_CHECKING:
    from rest_framework.views import APIView


class HasScope(BasePermission):
    message = "This needs an account with the scope `register`."

    def has_permission(self, request: HttpRequest, view: "APIView") -> bool:
        if request.method in SAFE_METHODS:
            return True
        principal = request._request.principal
        return not principal.is_anonymous and principal.has_scope("register")
