"""REST over Django REST framework. It takes nothing from the host's `REST_FRAMEWORK` settings and changes none of them."""
