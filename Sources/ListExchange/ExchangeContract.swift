/// `Schema/exchange/openapi.yaml`, which both sides serve.
package enum ExchangeContract {
  package static let yaml = PackageResources.openapi_yaml
}
