-- db-pre-request = "auth.identify": whoever the request's token, or its API key, names is asking.
CREATE FUNCTION auth.identify() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  headers json := nullif(current_setting('request.headers', true), '');
  token   text := coalesce(headers ->> 'x-api-key',
                           substring(headers ->> 'authorization' FROM '^[Bb]earer +(.+)$'));
BEGIN
  IF token IS NOT NULL THEN
    PERFORM public.seeme_login(token);
  END IF;
END $$;
