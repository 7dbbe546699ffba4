package abi

// Messages of netlink(7) and rtnetlink(7).
// Sources: include/uapi/linux/{netlink,rtnetlink,if_link,if_addr,if}.h.
const (
	NLMSG_ERROR = 2
	NLMSG_DONE  = 3

	NLM_F_MULTI = 2
	NLM_F_DUMP  = 0x300

	RTM_NEWLINK = 16
	RTM_GETLINK = 18
	RTM_NEWADDR = 20
	RTM_GETADDR = 22

	IFLA_ADDRESS   = 1
	IFLA_BROADCAST = 2
	IFLA_IFNAME    = 3
	IFLA_MTU       = 4
	IFLA_OPERSTATE = 16

	IFA_ADDRESS   = 1
	IFA_LOCAL     = 2
	IFA_LABEL     = 3
	IFA_BROADCAST = 4

	RT_SCOPE_UNIVERSE = 0
	RT_SCOPE_HOST     = 254

	ARPHRD_ETHER    = 1
	ARPHRD_LOOPBACK = 772

	IFF_UP        = 0x1
	IFF_BROADCAST = 0x2
	IFF_LOOPBACK  = 0x8
	IFF_RUNNING   = 0x40
	IFF_MULTICAST = 0x1000
	IFF_LOWER_UP  = 0x10000

	IF_OPER_UNKNOWN = 0
	IF_OPER_UP      = 6

	SizeofNlmsghdr  = 16
	SizeofIfinfomsg = 16
	SizeofIfaddrmsg = 8
)
