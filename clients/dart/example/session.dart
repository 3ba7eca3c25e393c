// Sign-in by SRP, and an access token that is always valid. Package amazon_cognito_identity_dart_2.
import 'dart:convert';

import 'package:amazon_cognito_identity_dart_2/cognito.dart';
import 'package:dio/dio.dart';

class Session extends Interceptor {
  Session._(this._cognito, this._clientId, this._store, this._accessToken, this._expires, this._refreshToken);

  final Dio _cognito;
  final String _clientId;
  final Future<void> Function(String refreshToken) _store;
  String _accessToken;
  DateTime _expires;
  String _refreshToken;
  Future<void>? _renewal;

  /// `store` keeps the refresh token where only the app can read it, such as in the phone's key store.
  static Future<Session> signIn(
    CognitoUserPool pool,
    String region,
    String email,
    String password,
    Future<void> Function(String refreshToken) store,
  ) async {
    final user = CognitoUser(email, pool);
    final tokens = (await user.authenticateUser(AuthenticationDetails(username: email, password: password)))!;
    final access = tokens.getAccessToken();
    final expires = DateTime.fromMillisecondsSinceEpoch(1000 * access.getExpiration());
    final refreshToken = tokens.getRefreshToken()!.getToken()!;
    await store(refreshToken);
    final cognito = Dio(BaseOptions(baseUrl: 'https://cognito-idp.$region.amazonaws.com'));
    return Session._(cognito, pool.getClientId(), store, access.getJwtToken()!, expires, refreshToken);
  }

  Future<String> accessToken() async {
    if (DateTime.now().add(const Duration(minutes: 1)).isAfter(_expires)) {
      // Requests that run in parallel wait for one renewal: a refresh token is valid once.
      await (_renewal ??= _renew().whenComplete(() => _renewal = null));
    }
    return _accessToken;
  }

  Future<void> _renew() async {
    final response = await _cognito.post<String>(
      '/',
      data: json.encode({'ClientId': _clientId, 'RefreshToken': _refreshToken}),
      options: Options(
        contentType: 'application/x-amz-json-1.1',
        headers: {'X-Amz-Target': 'AWSCognitoIdentityProviderService.GetTokensFromRefreshToken'},
      ),
    );
    final tokens = json.decode(response.data!)['AuthenticationResult'];
    _refreshToken = tokens['RefreshToken'];
    await _store(_refreshToken);
    _accessToken = tokens['AccessToken'];
    _expires = DateTime.now().add(Duration(seconds: tokens['ExpiresIn']));
  }

  @override
  Future<void> onRequest(RequestOptions options, RequestInterceptorHandler handler) async {
    try {
      options.headers['Authorization'] = 'Bearer ${await accessToken()}';
      handler.next(options);
    } on DioException catch (error) {
      handler.reject(error);
    }
  }
}
