// Sign-in by SRP, and an access token that is always valid. Package amazon_cognito_identity_dart_2.
import 'package:amazon_cognito_identity_dart_2/cognito.dart';
import 'package:dio/dio.dart';

class Session extends Interceptor {
  Session._(this._user, this._session);

  final CognitoUser _user;
  CognitoUserSession _session;

  static Future<Session> signIn(CognitoUserPool pool, String email, String password) async {
    final user = CognitoUser(email, pool);
    final session = await user.authenticateUser(AuthenticationDetails(username: email, password: password));
    return Session._(user, session!);
  }

  Future<String> accessToken() async {
    if (!_session.isValid()) {
      _session = (await _user.refreshSession(_session.getRefreshToken()!))!;
    }
    return _session.getAccessToken().getJwtToken()!;
  }

  @override
  Future<void> onRequest(RequestOptions options, RequestInterceptorHandler handler) async {
    options.headers['Authorization'] = 'Bearer ${await accessToken()}';
    handler.next(options);
  }
}
