//! The page on fixed source addresses, in a network as a person has it before.

use super::blocks;
use super::shell::Shell;
use crate::support::World;
use crate::support::cli::aws;

const PAGE: &str = "docs/source-addresses.md";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_on_source_addresses_works_as_printed() {
    let stack = World::open().stack;
    let made = |call: &[&str], kind: &str, id: &str| -> String {
        let answer = aws(stack, call);
        answer[kind][id].as_str().unwrap_or_else(|| panic!("{call:?}: {answer}")).to_owned()
    };
    let vpc = made(&["ec2", "create-vpc", "--cidr-block", "10.0.0.0/16"], "Vpc", "VpcId");
    let subnet =
        |block: &str| made(&["ec2", "create-subnet", "--vpc-id", &vpc, "--cidr-block", block], "Subnet", "SubnetId");
    let (public, private) = (subnet("10.0.0.0/24"), subnet("10.0.1.0/24"));
    let routes = made(&["ec2", "create-route-table", "--vpc-id", &vpc], "RouteTable", "RouteTableId");

    let shell = Shell::new(stack, "network").given("VPC", &vpc).given("PUBLIC_SUBNET", public);
    let shell = shell.given("PRIVATE_SUBNET", private).given("ROUTES", &routes);
    let said = shell.run(&[blocks::before_you_begin()[..1].to_vec(), blocks::run(PAGE)].concat());
    let [_, named, gateway, endpoint, address] = &said[..] else { panic!("what does each block say? {said:?}") };
    assert_eq!(named.trim(), "");
    assert!(gateway.contains("\"Return\": true") && endpoint.contains("vpce-"), "{gateway}{endpoint}");
    assert!(address.trim().parse::<std::net::Ipv4Addr>().is_ok(), "an address to tell customers: {address}");
    let tables = aws(stack, &["ec2", "describe-route-tables", "--route-table-ids", &routes]);
    assert!(tables.to_string().contains("nat-"), "all else goes by the gateway: {tables}");
}
