from seeme_django import as_person


class PersonMiddleware:
    """Runs each view as the person who is signed in. It stands last in MIDDLEWARE."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if getattr(view, "own_transaction", False):
            return None
        # Django reads the session and the user here, before anybody is named.
        user_id = request.user.pk if request.user.is_authenticated else None
        with as_person(user_id=user_id):
            response = view(request, *args, **kwargs)
            # A template reads its querysets when it is rendered.
            if callable(getattr(response, "render", None)):
                response = response.render()
            return response
